/** Averages of weights. Public exports, nothing else. */
export { averageStates, type ModelState } from './average-states';
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  type ExponentialMovingAverageStateDict,
} from './moving-average';
