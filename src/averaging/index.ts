/**
 * Averages of weights: moving averages, and averages of several models.
 *
 * @module adal-wasm/averaging
 */
export { type AverageableState, averageStates, type LearntArrays } from './average-states';
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  type ExponentialMovingAverageStateDict,
} from './moving-average';
