/**
 * AdaL as one would write it in plain JavaScript: the yardstick for what WASM buys. The rule
 * without scaling.
 */
export function createPlainStep(theta, g, { lr, beta1, beta2, eps }) {
  const m = new Float32Array(theta.length);
  const v = new Float32Array(theta.length);
  let t = 0;
  let power1 = 1;
  let power2 = 1;
  return () => {
    t++;
    power1 *= beta1;
    power2 *= beta2;
    let norm = 0;
    for (let i = 0; i < g.length; i++) norm += Math.abs(g[i]);
    const step = lr / Math.sqrt(t) / (1 - power1);
    const correction = 1 / (1 - power2);
    for (let i = 0; i < g.length; i++) {
      const h = norm * g[i];
      m[i] = beta1 * m[i] + (1 - beta1) * h;
      v[i] = beta2 * v[i] + (1 - beta2) * h * h;
      theta[i] -= step * (1 / Math.sqrt(v[i] * correction) + eps) * m[i];
    }
    return norm;
  };
}
