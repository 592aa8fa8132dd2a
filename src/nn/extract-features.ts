/** `extractFeatures`: the outputs of one layer of a trained network, to train a small head on. */
import { checkChoice, checkModel, checkOptions } from '../validate';
import type { Model } from './model';
import {
  type FeatureTensor,
  loadRange,
  readInputs,
  readSampleNames,
  type Samples,
} from './samples';

/**
 * Computes a layer's outputs for any number of samples, as in evaluation. The result also has the
 * labels, targets and class names of the samples, so that `fit` takes it in their place. Training a
 * head on it gives the same bits as training the whole network with everything before the head
 * frozen, at the cost of the head alone.
 *
 * @param samples samples × inputSize features, with or without labels or targets
 * @param options.layer name of the layer, one of `model.layerNames`
 * @returns features of dims [samples, ...shape of the layer's output]
 * @throws ArgumentError for an unknown layer, features that are not a whole number of samples, or
 * columns other than the model's
 * @example
 * const { features, labels } = extractFeatures(base, samples, { layer: 'relu2' });
 * const inputShape = features.dims.slice(1);
 * const head = await createModel(runtime, { inputShape, layers: [dense(10)] });
 * const optimizer = new AdamW(runtime, head.parameters, { lr: 1e-2 });
 * await fit(head, { features, labels }, { optimizer, epochs: 20 });
 * const outputs = predict(head, extractFeatures(base, today, { layer: 'relu2' }).features);
 */
export function extractFeatures(
  model: Model,
  samples: Samples,
  options: { layer: string },
): Samples & { readonly features: FeatureTensor } {
  checkModel('model', model);
  checkOptions('options', options, ['layer']);
  const layer = model.layerNames.indexOf(checkChoice('layer', options.layer, model.layerNames));
  const { features, labels, targets, classNames, columns } = samples;
  readSampleNames('samples', model.format, { columns });
  const { count, features: values } = readInputs('samples.features', model.format, features, 1);
  const { batchSize } = model;
  let data = new Float32Array(0);
  let dims: readonly number[] = [];
  for (let from = 0; from < count; from += batchSize) {
    const size = Math.min(batchSize, count - from);
    loadRange(model, { count, features: values, targets: [] }, from, size);
    const { shape, data: outputs } = model.activations(size, layer);
    const outputSize = outputs.length / size;
    if (from === 0) [data, dims] = [new Float32Array(count * outputSize), [count, ...shape]];
    data.set(outputs, from * outputSize);
  }
  return { features: { data, dims }, labels, targets, ...(classNames && { classNames }) };
}
