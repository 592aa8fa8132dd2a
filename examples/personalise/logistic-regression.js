/**
 * Multinomial logistic regression with an L2 penalty, minimised over the whole batch by L-BFGS
 * (Nocedal and Wright, algorithm 7.5).
 */

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Returns a + scale·b. */
function addScaled(a, scale, b) {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i] + scale * b[i];
  return out;
}

/** @returns (row: Float32Array) => class */
export function logisticRegression(
  { data, dims: [count, size] },
  labels,
  classes,
  { penalty = 1e-3, iterations = 100 } = {},
) {
  const row = (i) => data.subarray(i * size, (i + 1) * size);
  const logits = (w, x) =>
    Float64Array.from({ length: classes }, (_, c) => {
      let sum = w[classes * size + c];
      for (let j = 0; j < size; j++) sum += w[c * size + j] * x[j];
      return sum;
    });

  /** Returns the mean cross-entropy with penalty, and its gradient. */
  function objective(w) {
    const gradient = w.map((x, i) => (i < classes * size ? penalty * x : 0));
    let loss = (penalty / 2) * dot(w.subarray(0, classes * size), w);
    for (let i = 0; i < count; i++) {
      const [x, z] = [row(i), logits(w, row(i))];
      const top = Math.max(...z);
      const total = z.reduce((sum, v) => sum + Math.exp(v - top), 0);
      loss += (top + Math.log(total) - z[labels[i]]) / count;
      for (let c = 0; c < classes; c++) {
        const error = (Math.exp(z[c] - top) / total - (labels[i] === c ? 1 : 0)) / count;
        for (let j = 0; j < size; j++) gradient[c * size + j] += error * x[j];
        gradient[classes * size + c] += error;
      }
    }
    return { loss, gradient };
  }

  const weights = minimise(objective, new Float64Array(classes * (size + 1)), iterations);
  return (x) => {
    const z = logits(weights, x);
    return z.indexOf(Math.max(...z));
  };
}

/** Minimises by L-BFGS with ten pairs and backtracking. */
function minimise(objective, start, iterations, tolerance = 1e-3) {
  let w = start;
  let { loss, gradient } = objective(w);
  const pairs = [];
  for (let i = 0; i < iterations && dot(gradient, gradient) > tolerance ** 2; i++) {
    const direction = descent(gradient, pairs);
    const slope = dot(gradient, direction);
    let rate = 1;
    let next = objective(addScaled(w, rate, direction));
    while (next.loss > loss + 1e-4 * rate * slope && rate > 1e-10) {
      rate /= 2;
      next = objective(addScaled(w, rate, direction));
    }
    const s = direction.map((x) => rate * x);
    const y = addScaled(next.gradient, -1, gradient);
    if (dot(s, y) > 1e-12) pairs.push({ s, y, rho: 1 / dot(s, y) });
    if (pairs.length > 10) pairs.shift();
    w = addScaled(w, 1, s);
    ({ loss, gradient } = next);
  }
  return w;
}

/** Returns -H·gradient by the two-loop recursion; H approximates the inverse Hessian. */
function descent(gradient, pairs) {
  let q = gradient.map((x) => -x);
  const alphas = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, rho } = pairs[i];
    alphas[i] = rho * dot(s, q);
    q = addScaled(q, -alphas[i], y);
  }
  const last = pairs.at(-1);
  if (last) q = q.map((x) => (x * dot(last.s, last.y)) / dot(last.y, last.y));
  for (const [i, { s, y, rho }] of pairs.entries())
    q = addScaled(q, alphas[i] - rho * dot(y, q), s);
  return q;
}
