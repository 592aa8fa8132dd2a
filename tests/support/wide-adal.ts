/**
 * AdaL as the paper's restatement has it (ε = 0), on numbers x·2^e with x a double and e any
 * integer: nothing overflows or vanishes, whatever the gradients. Slow, and short enough to be
 * checked by eye.
 */

/** x·2^e, with 1 ≤ |x| < 2, or x = 0. */
interface Wide {
  readonly x: number;
  readonly e: number;
}

const ZERO: Wide = { x: 0, e: 0 };

function wide(x: number, e = 0): Wide {
  if (x === 0) return ZERO;
  while (Math.abs(x) >= 2) {
    x /= 2;
    e++;
  }
  while (Math.abs(x) < 1) {
    x *= 2;
    e--;
  }
  return { x, e };
}

function times(a: Wide, b: Wide): Wide {
  return wide(a.x * b.x, a.e + b.e);
}

function plus(a: Wide, b: Wide): Wide {
  if (a.x === 0 || b.x === 0) return a.x === 0 ? b : a;
  if (a.e < b.e) return plus(b, a);
  return b.e < a.e - 100 ? a : wide(a.x + b.x * 2 ** (b.e - a.e), a.e);
}

/** a/√b as a plain number; 0 where a is. */
function overRoot(a: Wide, b: Wide): number {
  if (a.x === 0) return 0;
  const odd = ((b.e % 2) + 2) % 2;
  return (a.x / Math.sqrt(b.x * 2 ** odd)) * 2 ** (a.e - (b.e - odd) / 2);
}

export class WideAdaL {
  readonly #beta1: number;
  readonly #beta2: number;
  #m: Wide[] = [];
  #v: Wide[] = [];
  #t = 0;

  constructor(betas: readonly [number, number]) {
    [this.#beta1, this.#beta2] = betas;
  }

  /** u = m̂/√v̂ of each coordinate after one more gradient. */
  step(g: ArrayLike<number>): number[] {
    const gradient = Array.from(g, (x) => wide(x));
    const norm = gradient.reduce((sum, { x, e }) => plus(sum, { x: Math.abs(x), e }), ZERO);
    this.#t++;
    const correction = Math.sqrt(1 - this.#beta2 ** this.#t) / (1 - this.#beta1 ** this.#t);
    return gradient.map((gi, i) => {
      const h = times(norm, gi);
      this.#m[i] = plus(
        times(wide(this.#beta1), this.#m[i] ?? ZERO),
        times(wide(1 - this.#beta1), h),
      );
      this.#v[i] = plus(
        times(wide(this.#beta2), this.#v[i] ?? ZERO),
        times(wide(1 - this.#beta2), times(h, h)),
      );
      return overRoot(this.#m[i], this.#v[i]) * correction;
    });
  }
}
