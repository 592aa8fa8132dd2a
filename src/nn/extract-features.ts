/**
 * What a trained network sees in samples: the outputs of one of its layers, computed once, to train
 * a small head on.
 */
import { checkChoice, checkModel, checkOptions, fail } from '../validate';
import type { Model } from './model';
import { type FeatureTensor, readFeatures, readSampleNames, type Samples } from './samples';

/**
 * Computes a layer's outputs for any number of samples, as in evaluation. Labels, targets and the
 * names of classes are passed on as they are, so that the result
 * can be given to `fit` in place of the samples: training a head on it has the bits of training the
 * whole network with all before the head frozen, at the cost of the head alone.
 *
 * @param samples count × inputSize features, with or without labels or targets
 * @param options.layer its name, one of `model.layerNames`
 * @returns features of dims [count, ...sizes of the layer's output]
 * @throws ArgumentError for another layer, features that are no whole number of samples, or columns
 * other than the model's
 * @example
 * const { features, labels } = extractFeatures(base, samples, { layer: 'relu2' });
 * const head = await createModel(runtime, { inputShape: features.dims.slice(1), layers: [dense(10)]
 * }); await fit(head, { features, labels }, { optimizer: new AdamW(runtime, head.parameters, { lr:
 * 1e-2 }), epochs: 20 }); predict(head, extractFeatures(base, { features: today }, { layer: 'relu2'
 * }).features);
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
  readSampleNames('samples', model, { columns });
  const values = readFeatures('samples.features', features);
  const { inputSize, batchSize } = model;
  const count = values.length / inputSize;
  if (!Number.isInteger(count) || count === 0)
    fail('samples.features', `${inputSize} values a sample`, values);
  let data = new Float32Array(0);
  let dims: readonly number[] = [];
  for (let from = 0; from < count; from += batchSize) {
    const size = Math.min(batchSize, count - from);
    model.input.set(values.subarray(from * inputSize, (from + size) * inputSize));
    const { shape, data: outputs } = model.activations(size, layer);
    const outputSize = outputs.length / size;
    if (from === 0) [data, dims] = [new Float32Array(count * outputSize), [count, ...shape]];
    data.set(outputs, from * outputSize);
  }
  return { features: { data, dims }, labels, targets, ...(classNames && { classNames }) };
}
