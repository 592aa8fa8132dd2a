/** Test data: seeded, and spiced with what breaks float code. */

/** A small seeded generator of numbers in [0, 1); good enough to choose test data. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/** n ordinary values in (-1, 1), a tenth of them zeros of either sign. */
export function ordinary(n: number, seed: number): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: n }, () =>
    next() < 0.1 ? (next() < 0.5 ? 0 : -0) : next() * 2 - 1,
  );
}

const STRANGE = [
  0, -0, 1e-45, -1e-45, 1.1754942e-38, -3e-39, 1.1754944e-38, 3.4028235e38, -3.4028235e38, 1e20,
  -1e-20, 1, -1,
];
const NON_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** n values, half of them zeros, subnormals and extremes. */
export function strange(n: number, seed: number): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: n }, () =>
    next() < 0.5 ? STRANGE[Math.floor(next() * STRANGE.length)]! : next() * 2 - 1,
  );
}

/** The same with NaN and infinities. */
export function wild(n: number, seed: number): Float32Array {
  const next = generator(seed + 1);
  return strange(n, seed).map((value) =>
    next() < 0.2 ? NON_FINITE[Math.floor(next() * 3)]! : value,
  );
}

/** Every kind, named. */
export const KINDS = { ordinary, strange, wild };
