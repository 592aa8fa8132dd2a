/** First values of parameters, from the model's one random sequence, in order of the parameters. */
import type { Prng } from '../../math/prng';

/** Uniform in ±√(6/fanIn) (He et al. 2015, for ReLU). */
export function heUniform(fanIn: number): (values: Float32Array, prng: Prng) => void {
  const bound = Math.sqrt(6 / fanIn);
  return (values, prng) => {
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * prng.uniform() - 1);
  };
}

/** Standard normal. */
export function normal(values: Float32Array, prng: Prng): void {
  for (let i = 0; i < values.length; i++) values[i] = prng.normal();
}

export function ones(values: Float32Array): void {
  values.fill(1);
}
