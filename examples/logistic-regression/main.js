import { AdaL, createRuntime, practical } from 'adal-wasm';

// Logistic regression with your own gradients: is x + 2y > 1? It needs neither a network nor
// autograd; loss and gradient are five lines.
const points = Array.from({ length: 400 }, (_, i) => [
  (i % 20) / 10 - 1,
  Math.floor(i / 20) / 10 - 1,
]);
const labels = points.map(([x, y]) => (x + 2 * y > 1 ? 1 : 0));

const optimizer = new AdaL(
  await createRuntime(),
  { w: { shape: [2] }, b: { shape: [1] } },
  practical({ totalSteps: 400, lr: 0.1 }),
);
const predict = ([x, y], { w, b }) => 1 / (1 + Math.exp(-(w[0] * x + w[1] * y + b[0])));

for (let step = 0; step < 400; step++) {
  optimizer.zeroGrad();
  const [params, grads] = [{ ...optimizer.params }, { ...optimizer.grads }];
  for (const [i, point] of points.entries()) {
    const error = (predict(point, params) - labels[i]) / points.length;
    grads.w[0] += error * point[0];
    grads.w[1] += error * point[1];
    grads.b[0] += error;
  }
  optimizer.step();
}
const right = points.filter(
  (point, i) => predict(point, optimizer.params) > 0.5 === (labels[i] === 1),
).length;
const w = [...optimizer.params.w].map((x) => x.toFixed(2));
console.log(`${right} of ${points.length} points right, w = ${w}`);
