/**
 * The plain rule: the scaled kernel with e ≡ 0 and q = 0, so nothing but float32 as it comes. Good
 * only where fourth powers of the gradients stay far inside float32.
 */
import { BLOCK } from '../../src/memory-layout/constants';
import { absSumBlock } from '../../src/runtime/reference/optim';

const f = Math.fround;

export interface PlainOptions {
  lr: number;
  betas: readonly [number, number];
  eps: number;
  decay: 'inverse-sqrt' | 'none';
  weightDecay: number;
}

export class PlainAdaL {
  readonly theta: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly #options: PlainOptions;
  #t = 0;
  #b1t = 1;
  #b2t = 1;

  constructor(theta: Float32Array, options: PlainOptions) {
    this.theta = theta.slice();
    this.m = new Float32Array(theta.length);
    this.v = new Float32Array(theta.length);
    this.#options = options;
  }

  step(g: Float32Array): void {
    const { lr, betas, eps, decay, weightDecay } = this.#options;
    const [beta1, beta2] = betas;
    this.#t++;
    this.#b1t *= beta1;
    this.#b2t *= beta2;
    let S = 0;
    for (let i = 0; i < g.length; i += BLOCK) S += absSumBlock(g, i, Math.min(BLOCK, g.length - i));
    const a = decay === 'inverse-sqrt' ? lr / Math.sqrt(this.#t) : lr;
    const c = f(S);
    const [b1, b2, c1, c2] = [f(beta1), f(beta2), f(1 - beta1), f(1 - beta2)];
    const k = f((a * Math.sqrt(1 - this.#b2t)) / (1 - this.#b1t));
    const kEps = f((a * eps) / (1 - this.#b1t));
    const delta = f(1 - a * weightDecay);
    const { theta, m, v } = this;
    for (let i = 0; i < g.length; i++) {
      const h = f(g[i] * c);
      m[i] = f(f(b1 * m[i]) + f(c1 * h));
      v[i] = f(f(b2 * v[i]) + f(c2 * f(h * h)));
      const r = f(f(k / f(Math.sqrt(Math.max(v[i], 2 ** -126)))) + kEps);
      theta[i] = f(f(theta[i] * delta) - f(m[i] * r));
    }
    if (this.#t % 16 === 0) this.#flush();
  }

  #flush(): void {
    for (let i = 0; i < this.m.length; i++) {
      if (this.v[i] < 2 ** -120) this.v[i] = this.m[i] = 0;
      else if (Math.abs(this.m[i]) < 2 ** -100) this.m[i] = 0;
    }
  }
}
