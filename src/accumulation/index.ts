/**
 * Gradient accumulation over several batches.
 *
 * @module adal-wasm/accumulation
 */
export {
  type AccumulatorStateDict,
  GradientAccumulator,
  type GradientAccumulatorOptions,
} from './gradient-accumulator';
