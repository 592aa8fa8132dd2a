/**
 * Averages of weights: moving averages, and averages of several models.
 *
 * @module adal-wasm/averaging
 */
export { averageStates, type LearntArrays, type ModelState } from './average-states';
export {
  ExponentialMovingAverage,
  type MovingAverageOptions,
  type MovingAverageStateDict,
} from './moving-average';
