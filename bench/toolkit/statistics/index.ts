/**
 * Statistics of the benchmark suite and its report. Same numbers on every engine: + - × ÷ √ and the
 * project's own PRNG and log.
 */
export {
  type BootstrapOptions,
  bootstrapIndices,
  type Estimate,
  estimate,
  estimateMedian,
  FEWEST_FOR_INTERVAL,
  type Interval,
} from './bootstrap';
export { ratioOfMedians } from './independent';
export {
  pairedDifference,
  pairedRatio,
  probabilityOfImprovement,
  type Verdict,
  verdictOf,
} from './paired';
export {
  divergenceRate,
  type ProfilePoint,
  performanceProfile,
  type RatePoint,
  type SensitivityWidth,
  sensitivityWidth,
} from './study';
export { interquartileMean, mad, median, quantile } from './summary';
export { FEWEST_FOR_TEST, holm, type SignedRank, signedRank } from './wilcoxon';
