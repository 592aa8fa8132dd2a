/**
 * What stands between gradients and steps, and averages of weights. Public exports, nothing else.
 */
export {
  type AccumulatorStateDict,
  GradientAccumulator,
  type GradientAccumulatorOptions,
} from './accumulator';
export { averageStates, type ModelState } from './average-states';
export {
  ExponentialMovingAverage,
  type MovingAverageOptions,
  type MovingAverageStateDict,
} from './moving-average';
