/**
 * Averages of weights: moving averages, and averages of several models.
 *
 * @module adal-wasm/averaging
 */
export { averageStates, type LearntArrays, type AverageableState } from './average-states';
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  type ExponentialMovingAverageStateDict,
} from './moving-average';
