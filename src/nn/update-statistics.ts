/**
 * `updateStatistics`: running statistics of batch norm, for weights that training did not leave.
 */
import { yieldToEventLoop } from '../runtime/yield-to-event-loop';
import { Tensor } from '../tensors/tensor';
import { createRecord } from '../tensors/views';
import { checkModel, checkNumber, checkOptions, fail } from '../validate';
import { type BatchSource, createSource } from './batch-source';
import type { Model } from './model';
import { loadRange, readInputs, readSampleNames, type Samples, type TrainingData } from './samples';

/** Options of `updateStatistics`. */
export interface UpdateStatisticsOptions {
  /**
   * Length of a time slice, milliseconds in [0, ∞): after so much work the function yields to the
   * event loop.
   * @default 8
   */
  budgetMs?: number;
}

/**
 * Estimates the running means and variances of all batch norm layers again, from data, for the
 * weights that the model evaluates with. Training leaves statistics of the weights that it trained.
 * If `evaluate` and `predict` use other weights (the average of Schedule-Free, or weights that you
 * have averaged or edited), they need statistics of those. Nothing is trained, and dropout drops
 * nothing.
 *
 * The new means are averages over all batches, weighted by their samples; so are the variances,
 * each of them unbiased. A last batch that is too small to have a variance is left out. Layers that
 * work in training as in evaluation, because a layer above them is frozen, keep their statistics.
 * While an ExponentialMovingAverage is applied, the average's statistics are replaced and the
 * model's own stay.
 *
 * @param data samples, or a function that opens a stream of them; labels and targets have no effect
 * @throws ArgumentError for data that do not fit or give statistics that are not finite; nothing
 * has changed then
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
    for (const name of model.observedStatistics)
      estimates[name] = new Tensor(model.runtime, model.weights[name].shape);
    await source.start(1, 0, 0);
    let seen = 0;
    let start = performance.now();
    for (let count = await source.next(); count; count = await source.next()) {
      if (count < model.minBatchSize) continue;
      seen += count;
      source.load();
      model.observe(count, seen, estimates);
      if (performance.now() - start < budgetMs) continue;
      await yieldToEventLoop();
      start = performance.now();
    }
    if (seen === 0) fail('data', `at least ${model.minBatchSize} samples`, 'fewer');
    for (const [name, { data: values }] of Object.entries(estimates)) {
      const wrong = values.findIndex((value) => !Number.isFinite(value));
      if (wrong >= 0)
        fail('data', `finite activations (${name}[${wrong}] would be ${values[wrong]})`, 'others');
    }
    const { runningStatistics } = model.learnt;
    for (const [name, tensor] of Object.entries(estimates))
      runningStatistics[name].evaluationValue.data.set(tensor.data);
    model.learnt.discard();
  } finally {
    for (const tensor of Object.values(estimates)) tensor.dispose();
    occupation.release();
    await source.close();
  }
}

/** Returns a source of batches of the samples' features, in their own order. */
function inMemory(
  model: Model,
  samples: Pick<Samples, 'features' | 'columns'>,
): Pick<BatchSource, 'start' | 'next' | 'load' | 'close'> {
  if (typeof samples !== 'object' || samples === null)
    fail('data', 'samples, or a function that opens a stream', samples);
  const { features, columns } = samples;
  readSampleNames('data', model.format, { columns });
  const { count: total, features: values } = readInputs('data.features', model.format, features, 1);
  const { batchSize } = model;
  let [from, end] = [0, 0];
  return {
    start() {},
    next() {
      [from, end] = [end, Math.min(end + batchSize, total)];
      return end - from;
    },
    load: () => loadRange(model, { count: total, features: values, targets: [] }, from, end - from),
    close() {},
  };
}
