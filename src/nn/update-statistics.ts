/** Running figures of batch norm that belong to other weights than those that training left them for. */
import { turn } from '../runtime/turn';
import { Tensor } from '../tensors/tensor';
import { createRecord } from '../tensors/views';
import { checkModel, checkNumber, checkOptions, fail } from '../validate';
import type { Model } from './model';
import { createSource, readFeatures, type Samples, type TrainingData } from './samples';

export interface UpdateStatisticsOptions {
  /** Milliseconds of work between two turns of the event loop. @default 8 */
  budgetMs?: number;
}

/**
 * Estimates the running means and variances of all batch norm layers anew, from data, for the weights that the model evaluates
 * with. Training leaves figures of the weights that it trained; where `evaluate` and `predict` read others (Schedule-Free's
 * average, weights that were averaged or edited), the figures should be theirs. Nothing is trained, and dropout drops nothing.
 *
 * The means are those of all batches, each by its samples; so are the variances, each unbiased. A last batch too small to have a
 * variance is left out. Layers below frozen ones, which work in training as in evaluation, keep their figures. Under an applied
 * ExponentialMovingAverage the average's figures are replaced, and the model's own stay.
 *
 * @param data samples, of which the features alone count, or a function that begins a stream of them
 * @throws ArgumentError for data that do not fit, or give figures that are not finite; nothing has changed then
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
  const batches = typeof data === 'function' ? streamed(model, data) : inMemory(model, data);
  const occupation = model.learnt.occupy('updateStatistics');
  const estimates = createRecord<Tensor>();
  try {
    for (const name of model.observedFigures) estimates[name] = new Tensor(model.runtime, model.weights[name].shape);
    let seen = 0;
    let start = performance.now();
    for await (const count of batches) {
      if (count < model.fewestSamples) continue;
      seen += count;
      model.observe(count, count / seen, estimates);
      if (performance.now() - start < budgetMs) continue;
      await turn();
      start = performance.now();
    }
    if (seen === 0) fail('data', `at least ${model.fewestSamples} samples`, 'fewer');
    for (const [name, { data: values }] of Object.entries(estimates)) {
      const wrong = values.findIndex((value) => !Number.isFinite(value));
      if (wrong >= 0) fail('data', `finite activations (${name}[${wrong}] would be ${values[wrong]})`, 'others');
    }
    const { runningFigures } = model.learnt;
    for (const [name, tensor] of Object.entries(estimates)) runningFigures[name].evaluationValue.data.set(tensor.data);
    model.learnt.discard();
  } finally {
    for (const tensor of Object.values(estimates)) tensor.dispose();
    occupation.release();
  }
}

/** Copies batch after batch into the model, in the order of the samples; yields their sizes. */
function inMemory(model: Model, samples: Pick<Samples, 'features'>): Iterable<number> {
  if (typeof samples !== 'object' || samples === null) fail('data', 'samples, or a function that begins a stream', samples);
  const values = readFeatures('data.features', samples.features);
  const { inputSize, batchSize } = model;
  if (values.length === 0 || values.length % inputSize !== 0) fail('data.features', `${inputSize} values a sample`, values);
  const total = values.length / inputSize;
  return (function* () {
    for (let from = 0; from < total; from += batchSize) {
      const count = Math.min(batchSize, total - from);
      model.input.set(values.subarray(from * inputSize, (from + count) * inputSize));
      yield count;
    }
  })();
}

async function* streamed(model: Model, data: TrainingData): AsyncIterable<number> {
  const source = createSource(model, data, 0);
  await source.start(0, 0);
  for (let count = await source.next(); count > 0; count = await source.next()) yield count;
}
