/**
 * Learning rates as functions of the step: give one as `lr` to an optimizer or a param group.
 *
 * Steps count from 1, the first step being 1, as in every formula here. A library that counts
 * completed steps (PyTorch's `last_epoch`, optax's `count`) has at t - 1 what ours has at t. All
 * but `reduceOnPlateau` are pure: they keep nothing between calls, may be called for any step in
 * any order and be shared by groups. Values come from + - × ÷ √ and the library's own cos and pow,
 * so the bits are the same on every engine.
 *
 * With AdaL the schedule is multiplied by AdaL's own decay: `decay: 'inverse-sqrt'`, its default,
 * divides the schedule's value at t by √t, so that the rate is schedule(t)/√t: `constant(lr)` is
 * the restated rule, and `cosine` falls below a cosine. `decay: 'none'`, which `practical()` sets,
 * takes schedule(t) as it is. Under `warmup` and `join` √t goes on counting from the run's first
 * step. Other optimizers take schedule(t) as it is.
 *
 * Each carries a `config`, plain JSON, from which `scheduleFromConfig` builds it again.
 */
export { type ScheduleName, scheduleFromConfig, scheduleNames } from './config';
export { constant } from './constant';
export { type CosineOptions, cosine } from './cosine';
export { type CosineWithRestartsOptions, cosineWithRestarts } from './cosine-with-restarts';
export { type ExponentialOptions, exponential } from './exponential';
export { type InverseSqrtOptions, inverseSqrt } from './inverse-sqrt';
export { join } from './join';
export { type LinearOptions, linear } from './linear';
export { type OneCycleOptions, oneCycle } from './one-cycle';
export { type PolynomialOptions, polynomial } from './polynomial';
export {
  type PlateauSchedule,
  type PlateauState,
  type ReduceOnPlateauOptions,
  reduceOnPlateau,
} from './reduce-on-plateau';
export {
  type ConfiguredSchedule,
  isStatefulSchedule,
  type Schedule,
  type ScheduleConfig,
  type ScheduleConfigValue,
  type ScheduleState,
  type StatefulSchedule,
} from './schedule';
export { type StepDecayOptions, stepDecay } from './step-decay';
export { type WarmupOptions, warmup } from './warmup';
