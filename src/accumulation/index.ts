/**
 * Gradient accumulation over several batches.
 *
 * @module adal-wasm/accumulation
 */
export {
  type AccumulatedGradient,
  GradientAccumulator,
  type GradientAccumulatorOptions,
  type GradientAccumulatorStateDict,
} from './gradient-accumulator';
