/** Gradients for tests: seeded, and of every kind that floats come in. */
import type { Optimizer } from '../../src/index';
import type { Prng } from '../../src/math/prng';

/** Cheap uniform numbers in [-1, 1): a 32-bit xorshift, for tests that need millions. */
export function* rough(seed: number): Generator<number, never> {
  let x = seed | 1;
  while (true) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x / 2 ** 31;
  }
}

/** Overwrites all gradients: rough numbers times `scale`, every `sparse`-th one zero. */
export function fillRough(optimizer: Optimizer, seed: number, scale = 1, sparse = 5): void {
  const draws = rough(seed);
  for (const name of Object.keys(optimizer.grads)) {
    const grad = optimizer.grads[name];
    for (let i = 0; i < grad.length; i++)
      grad[i] = i % sparse === 0 ? 0 : scale * draws.next().value;
  }
}

/** Standard normal numbers times `scale`. */
export function normals(prng: Prng, n: number, scale = 1): Float32Array {
  return Float32Array.from({ length: n }, () => scale * prng.normal());
}

/** Σ|g| over arrays in float64, with Neumaier's compensation. */
export function compensatedNorm(arrays: Iterable<Float32Array>): number {
  let sum = 0;
  let lost = 0;
  for (const array of arrays) {
    for (const value of array) {
      const x = Math.abs(value);
      const next = sum + x;
      lost += sum >= x ? sum - next + x : x - next + sum;
      sum = next;
    }
  }
  return sum + lost;
}
