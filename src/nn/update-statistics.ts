/**
 * Running figures of batch norm that belong to other weights than those that training left them
 * for.
 */
import { yieldToEventLoop } from '../runtime/yield-to-event-loop';
import { Tensor } from '../tensors/tensor';
import { createRecord } from '../tensors/views';
import { checkModel, checkNumber, checkOptions, fail } from '../validate';
import { type BatchSource, createSource } from './batch-source';
import type { Model } from './model';
import { readFeatures, readSampleNames, type Samples, type TrainingData } from './samples';

export interface UpdateStatisticsOptions {
  /** Milliseconds of work between two turns of the event loop. @default 8 */
  budgetMs?: number;
}

/**
 * Estimates the running means and variances of all batch norm layers anew, from data, for the
 * weights that the model evaluates with. Training leaves figures of the weights that it trained;
 * where `evaluate` and `predict` read others (Schedule-Free's average, weights that were averaged
 * or edited), the figures should be theirs. Nothing is trained, and dropout drops nothing.
 *
 * The means are those of all batches, each by its samples; so are the variances, each unbiased. A
 * last batch too small to have a variance is left out. Layers below frozen ones, which work in
 * training as in evaluation, keep their figures. Under an applied ExponentialMovingAverage the
 * average's figures are replaced, and the model's own stay.
 *
 * @param data samples, of which the features alone count, or a function that begins a stream of
 * them
 * @throws ArgumentError for data that do not fit, or give figures that are not finite; nothing has
 * changed then
 * @throws BusyError while `fit` is training the model
 * @example
 * const optimizer = new ScheduleFreeAdamW(runtime, model.parameters);
 * await fit(model, train, { optimizer, epochs: 10 });
 * await updateStatistics(model, train);
 * @see torch.optim.swa_utils.update_bn
 */
export async function updateStatistics(
  model: Model,
  data: Pick<Samples, 'features'> | TrainingData,
  options: UpdateStatisticsOptions = {},
): Promise<void> {
  checkModel('model', model);
  checkOptions('options', options, ['budgetMs']);
  const budgetMs = checkNumber('budgetMs', options.budgetMs ?? 8, '[0, ∞)', (value) => value >= 0);
  const source =
    typeof data === 'function' ? createSource(model, data, { seed: 0 }) : inMemory(model, data);
  const occupation = model.learnt.occupy('updateStatistics');
  const estimates = createRecord<Tensor>();
  try {
    for (const name of model.observedFigures)
      estimates[name] = new Tensor(model.runtime, model.weights[name].shape);
    await source.start(1, 0, 0);
    let seen = 0;
    let start = performance.now();
    for (let count = await source.next(); count; count = await source.next()) {
      if (count < model.fewestSamples) continue;
      seen += count;
      source.load();
      model.observe(count, count / seen, estimates);
      if (performance.now() - start < budgetMs) continue;
      await yieldToEventLoop();
      start = performance.now();
    }
    if (seen === 0) fail('data', `at least ${model.fewestSamples} samples`, 'fewer');
    for (const [name, { data: values }] of Object.entries(estimates)) {
      const wrong = values.findIndex((value) => !Number.isFinite(value));
      if (wrong >= 0)
        fail('data', `finite activations (${name}[${wrong}] would be ${values[wrong]})`, 'others');
    }
    const { runningFigures } = model.learnt;
    for (const [name, tensor] of Object.entries(estimates))
      runningFigures[name].evaluationValue.data.set(tensor.data);
    model.learnt.discard();
  } finally {
    for (const tensor of Object.values(estimates)) tensor.dispose();
    occupation.release();
    await source.close();
  }
}

/** Batches of samples in their own order, of which only the features are looked at. */
function inMemory(
  model: Model,
  samples: Pick<Samples, 'features' | 'columns'>,
): Pick<BatchSource, 'start' | 'next' | 'load' | 'close'> {
  if (typeof samples !== 'object' || samples === null)
    fail('data', 'samples, or a function that begins a stream', samples);
  const { features, columns } = samples;
  readSampleNames('data', model, { columns });
  const values = readFeatures('data.features', features);
  const { inputSize, batchSize } = model;
  if (values.length === 0 || values.length % inputSize !== 0)
    fail('data.features', `${inputSize} values a sample`, values);
  const total = values.length / inputSize;
  let [from, end] = [0, 0];
  return {
    start() {},
    next() {
      [from, end] = [end, Math.min(end + batchSize, total)];
      return end - from;
    },
    load: () => model.input.set(values.subarray(from * inputSize, end * inputSize)),
    close() {},
  };
}
