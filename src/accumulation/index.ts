/**
 * Gradient accumulation over several batches.
 *
 * @module adal-wasm/accumulation
 */
export {
  GradientAccumulator,
  type GradientAccumulatorOptions,
  type GradientAccumulatorStateDict,
} from './gradient-accumulator';
