/**
 * Learning-rate schedules: functions of the step, to be passed as `lr` to an optimizer or a param
 * group.
 *
 * Steps count from 1: the first step is 1. Libraries that count completed steps (PyTorch's
 * `last_epoch`, optax's `count`) have at t - 1 the value that these schedules have at t. All but
 * `reduceOnPlateau` are pure functions: they keep no state, accept steps in any order, and can be
 * shared by groups. Values are computed with + - × ÷ √ and the library's own cos and pow, so the
 * bits are the same on every engine.
 *
 * AdaL multiplies the schedule by a decay of its own. With `decay: 'inverse-sqrt'`, the default,
 * the rate at step t is schedule(t)/√t; so `constant(lr)` is the restated rule. With `decay:
 * 'none'`, which `practical()` sets, the rate is schedule(t). Under `warmup` and `join`, √t counts
 * from the first step of the run. All other optimizers use schedule(t).
 *
 * Each schedule has a `config`, plain JSON from which `scheduleFromConfig` builds it again.
 *
 * @module adal-wasm/schedules
 */
export { type ScheduleName, scheduleFromConfig, scheduleNames } from './config';
export { constant } from './constant';
export { type CosineOptions, cosine } from './cosine';
export { type CosineWithRestartsOptions, cosineWithRestarts } from './cosine-with-restarts';
export { type ExponentialOptions, exponential } from './exponential';
export { type InverseSqrtOptions, inverseSqrt } from './inverse-sqrt';
export { join } from './join';
export { type LinearOptions, linear } from './linear';
export { multiply } from './multiply';
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
