/** The oracle of `peak` in assembly/math/gemm-kernel.ts. */
const { fround } = Math;

/** 12 chains of c ← c·a + b, two links an iteration, then folded as the kernel does. */
export function peakMulAdd(iterations: number): number {
  const step = fround(fround(iterations) * fround(1e-12));
  const a = fround(1 - step);
  const c = Array.from({ length: 12 }, (_, i) => {
    let value = fround(a * i);
    for (let links = 2 * iterations; links > 0; --links) value = fround(fround(value * a) + step);
    return value;
  });
  const pair = (i: number) => fround(c[i]! + c[i + 1]!);
  const half = (i: number) => fround(fround(pair(i) + pair(i + 2)) + pair(i + 4));
  return fround(half(0) + half(6));
}
