/** The spec of a training run: plain data from which a worker builds the run. */

import type { GradientAccumulatorOptions } from '../accumulation/gradient-accumulator';
import { ArgumentError } from '../errors';
import type { OptimizerName, OptimizerOptions } from '../optimizers/registry';
import type { RuntimeOptions } from '../runtime/runtime-options';
import type { ScheduleConfig } from '../schedules/schedule';
import { checkOptions, fail } from '../validate';
import type { LastBatch } from './batch-source';
import type { ModelOptions } from './create-model';
import type { EarlyStoppingOptions } from './early-stopping';
import type { EvaluateOptions } from './evaluation';
import type { MetricName } from './metrics';

/** The name of an optimizer, with its options. */
export type OptimizerSpec = {
  [Name in OptimizerName]: { name: Name } & OptimizerOptions[Name];
}[OptimizerName];

/** A training run as plain data, without functions and class instances. */
export interface TrainingSpec {
  /** Options of `createModel`. */
  model: Omit<ModelOptions, 'training'>;
  /**
   * Name and options of the optimizer, as `createOptimizer` knows them: `{ name: 'adamw', lr: 1e-3
   * }`.
   */
  optimizer: OptimizerSpec;
  /**
   * Learning rate schedule: one of `adal-wasm/schedules`, or its `config`.
   * @default the optimizer's `lr`
   */
  schedule?: ScheduleConfig | { readonly config?: ScheduleConfig };
  /** Number of passes over the data: an integer in [1, 2^31). */
  epochs: number;
  /**
   * Seed of the sample order, as in `fit`.
   * @default 0
   */
  seed?: number;
  /**
   * How to treat a short last batch, as in `fit`.
   * @default 'keep'
   */
  lastBatch?: LastBatch;
  /**
   * Number of epochs of the sample order to pass over, as in `fit`.
   * @default 0
   */
  initialEpoch?: number;
  /**
   * Whether every epoch has another random order, as in `fit`.
   * @default true
   */
  shuffle?: boolean;
  /**
   * Share of the samples to hold out for validation, as in `fit`.
   * @default none
   */
  validationSplit?: number;
  /** Metrics of training and validation besides loss and accuracy, as in `fit`. */
  metrics?: readonly MetricName[] | EvaluateOptions;
  /**
   * Ends training when the loss stops improving.
   * @default train all epochs
   */
  earlyStopping?: EarlyStoppingOptions;
  /**
   * Options of a GradientAccumulator, for steps over more samples than fit in memory.
   * @default every batch is a step
   */
  accumulator?: GradientAccumulatorOptions;
  /**
   * Options of an ExponentialMovingAverage. The worker applies it: validation and the resulting
   * model use the average.
   * @default no average
   */
  average?: { decay?: number };
  /** Options of the worker's `createRuntime`, such as its number of threads. */
  runtime?: Omit<RuntimeOptions, 'workerHost'>;
}

/** A spec as it is sent to the worker. */
export type PlainSpec = Omit<TrainingSpec, 'schedule' | 'metrics'> & {
  readonly schedule: ScheduleConfig | undefined;
  readonly metrics: EvaluateOptions | undefined;
};

const NAMES = [
  'model',
  'optimizer',
  'schedule',
  'epochs',
  'seed',
  'lastBatch',
  'initialEpoch',
  'shuffle',
  'validationSplit',
  'metrics',
  'earlyStopping',
  'accumulator',
  'average',
  'runtime',
];

/**
 * Copies a spec into plain data. The worker checks the values in it.
 * @throws ArgumentError for unknown fields, and for values that are not plain data
 */
export function readSpec(spec: TrainingSpec): PlainSpec {
  checkOptions('spec', spec, NAMES);
  const { model, optimizer, schedule, metrics } = spec;
  if (typeof model !== 'object' || model === null)
    fail('spec.model', 'the options of a model', model);
  if (typeof optimizer?.name !== 'string')
    fail('spec.optimizer', '{ name, ...options }', optimizer);
  try {
    return structuredClone({
      ...spec,
      schedule: typeof schedule === 'function' ? configOf(schedule) : schedule,
      metrics: Array.isArray(metrics) ? { metrics } : metrics,
    }) as PlainSpec;
  } catch (error) {
    if (error instanceof ArgumentError) throw error;
    throw new ArgumentError(
      'spec',
      'plain data (pass a changing learning rate as spec.schedule)',
      String(error),
    );
  }
}

function configOf(schedule: { readonly config?: ScheduleConfig }): ScheduleConfig {
  return schedule.config ?? fail('spec.schedule', 'a config, or a schedule that has one', schedule);
}
