/** Gradient accumulation over several batches. Public exports, nothing else. */
export {
  type AccumulatorStateDict,
  GradientAccumulator,
  type GradientAccumulatorOptions,
} from './gradient-accumulator';
