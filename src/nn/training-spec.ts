/** A whole training run as plain data, from which a worker builds it. */

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

/** An optimizer by name, with its options. */
export type OptimizerSpec = {
  [Name in OptimizerName]: { name: Name } & OptimizerOptions[Name];
}[OptimizerName];

/** Plain data throughout: no functions, and no objects with methods. */
export interface TrainingSpec {
  /** As `createModel` takes it. */
  model: Omit<ModelOptions, 'training'>;
  /**
   * `{ name: 'adamw', lr: 1e-3 }`: a name that `createOptimizer` knows, and that optimizer's
   * options.
   */
  optimizer: OptimizerSpec;
  /**
   * A schedule's `config`, or the schedule itself, if it is one of `adal-wasm/schedules`.
   * @default the optimizer's `lr`
   */
  schedule?: ScheduleConfig | { readonly config?: ScheduleConfig };
  /** As `fit` takes them. */
  epochs: number;
  seed?: number;
  lastBatch?: LastBatch;
  initialEpoch?: number;
  metrics?: EvaluateOptions;
  earlyStopping?: EarlyStoppingOptions;
  /**
   * Of a GradientAccumulator, for batches larger than memory allows.
   * @default every batch is a step
   */
  accumulator?: GradientAccumulatorOptions;
  /**
   * Of an ExponentialMovingAverage: validation and the model that comes back are of the averages.
   * @default the weights themselves
   */
  average?: { decay?: number };
  /** As `createRuntime` takes them: threads of the worker's own, and so on. */
  runtime?: Omit<RuntimeOptions, 'workerHost'>;
}

/** As it is sent to the worker. */
export type PlainSpec = Omit<TrainingSpec, 'schedule'> & {
  readonly schedule: ScheduleConfig | undefined;
};

const NAMES = [
  'model',
  'optimizer',
  'schedule',
  'epochs',
  'seed',
  'lastBatch',
  'initialEpoch',
  'metrics',
  'earlyStopping',
  'accumulator',
  'average',
  'runtime',
];

/**
 * The spec as it can be sent. What is in it is checked by those who use it.
 * @throws ArgumentError for unknown fields, and for what is not plain data
 */
export function readSpec(spec: TrainingSpec): PlainSpec {
  checkOptions('spec', spec, NAMES);
  const { model, optimizer, schedule } = spec;
  if (typeof model !== 'object' || model === null)
    fail('spec.model', 'the options of a model', model);
  if (typeof optimizer?.name !== 'string')
    fail('spec.optimizer', '{ name, ...options }', optimizer);
  try {
    return structuredClone({
      ...spec,
      schedule: typeof schedule === 'function' ? configOf(schedule) : schedule,
    }) as PlainSpec;
  } catch (error) {
    if (error instanceof ArgumentError) throw error;
    throw new ArgumentError(
      'spec',
      'plain data (a learning rate that changes goes into spec.schedule)',
      String(error),
    );
  }
}

function configOf(schedule: { readonly config?: ScheduleConfig }): ScheduleConfig {
  return schedule.config ?? fail('spec.schedule', 'a config, or a schedule that has one', schedule);
}
