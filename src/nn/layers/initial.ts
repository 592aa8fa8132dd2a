/**
 * Initial values of parameters. A model draws them from one random sequence, in the order of its
 * parameters.
 */
import type { Prng } from '../../math/prng';

/** Returns a function that draws uniformly from ±√(6/fanIn) (He et al. 2015, for ReLU). */
export function heUniform(fanIn: number): (values: Float32Array, prng: Prng) => void {
  return uniform(Math.sqrt(6 / fanIn));
}

/** Returns a function that draws uniformly from ±√(6/(fanIn + fanOut)) (Glorot and Bengio 2010). */
export function glorotUniform(
  fanIn: number,
  fanOut: number,
): (values: Float32Array, prng: Prng) => void {
  return uniform(Math.sqrt(6 / (fanIn + fanOut)));
}

/** Returns a function that draws uniformly from ±bound. */
export function uniform(bound: number): (values: Float32Array, prng: Prng) => void {
  return (values, prng) => {
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * prng.uniform() - 1);
  };
}

/** Draws from the standard normal distribution. */
export function normal(values: Float32Array, prng: Prng): void {
  for (let i = 0; i < values.length; i++) values[i] = prng.normal();
}

/** Sets all values to one. */
export function ones(values: Float32Array): void {
  values.fill(1);
}
