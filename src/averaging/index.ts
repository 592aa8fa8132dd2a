/** Averages of weights. Public exports, nothing else. */
export { type AverageableState, averageStates } from './average-states';
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  type ExponentialMovingAverageStateDict,
} from './moving-average';
