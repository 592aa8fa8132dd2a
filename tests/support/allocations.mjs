/**
 * Prints, as JSON, the bytes of JavaScript heap that a step, and what is called at every step,
 * takes once it is hot. A process of its own, because the test runner's rewriting of modules makes
 * V8 allocate where shipped code does not.
 *
 *     node allocations.mjs <path of dist/index.js> <runtime options as JSON>
 */
import { pathToFileURL } from 'node:url';

const [, , path, options] = process.argv;
const { AdaL, createRuntime, emptyResult, ScheduleFreeAdamW } = await import(path);
const { ExponentialMovingAverage, GradientAccumulator } = await import(
  new URL('gradients.js', pathToFileURL(path))
);

const CALLS = 1000;
const ROUNDS = 41;

function heapTaken(body, calls) {
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < calls; i++) body();
  return process.memoryUsage().heapUsed - before;
}

/**
 * The median over rounds too short to fill the nursery: rounds in which the collector or the
 * compiler ran fall out.
 */
function medianBytes(body) {
  const rounds = Array.from(
    { length: ROUNDS },
    () => heapTaken(body, CALLS) - heapTaken(body, 0),
  ).sort((a, b) => a - b);
  return rounds[(ROUNDS - 1) / 2] / CALLS;
}

/** Bytes a call, once V8 has settled on its code. */
function bytesPerCall(body, warmUp = 50_000) {
  let bytes = Infinity;
  for (let attempt = 0; attempt < 8 && bytes >= 1; attempt++) {
    for (let i = 0; i < warmUp; i++) body();
    bytes = Math.min(bytes, medianBytes(body));
  }
  return bytes;
}

const nn = await import(new URL('nn.js', pathToFileURL(path)));

const runtime = await createRuntime(JSON.parse(options));
const groups = [
  { params: { w: new Float32Array(3), b: { shape: [2, 2] } } },
  { params: { c: new Float32Array(40) }, lr: 0.1 },
];
const optimizer = new AdaL(runtime, groups);
for (const name of ['w', 'b', 'c']) optimizer.grads[name].fill(0.5);
const grads = { w: new Float32Array(3), b: new Float32Array(4), c: new Float32Array(40) };
const result = emptyResult();
const { memoryBytes } = runtime.info;
const stepInto = bytesPerCall(() => optimizer.stepInto(result));
const stepIntoGiven = bytesPerCall(() => optimizer.stepInto(result, grads));
let sink = null;
const step = bytesPerCall(() => (sink = optimizer.step()));
const mean = new GradientAccumulator(optimizer, { steps: 3 });
const addInto = bytesPerCall(() => mean.addInto(result));
const addIntoGiven = bytesPerCall(() => mean.addInto(result, grads));
const sum = new GradientAccumulator(optimizer, { steps: 3, reduction: 'sum' });
const addIntoSum = bytesPerCall(() => sum.addInto(result));
const average = new ExponentialMovingAverage(optimizer);
const update = bytesPerCall(() => average.update());
const free = new ScheduleFreeAdamW(runtime, groups);
const stepFree = bytesPerCall(() => free.stepInto(result, grads));
const stepGrowth = runtime.info.memoryBytes - memoryBytes;
const { bidirectional, dense, gru, lstm, multiHeadAttention } = nn;
const model = await nn.createModel(runtime, {
  inputShape: [3, 4],
  layers: [
    bidirectional(lstm(2, { returnSequences: true })),
    multiHeadAttention({ heads: 2, dropout: 0.1 }),
    gru(4, { returnSequences: true }),
    gru(4, { returnSequences: true, resetAfter: false }),
    nn.simpleRnn(4),
    dense(2),
  ],
  loss: nn.meanSquaredError(),
  batchSize: 2,
});
// Creating the model has allocated.
const memoryBefore = runtime.info.memoryBytes;
const computeGradients = bytesPerCall(() => model.computeGradients(2), 5000);
const wasmGrowth = runtime.info.memoryBytes - memoryBefore + stepGrowth;
if (sink.skipped) throw new Error('a step was skipped');
console.log(
  JSON.stringify({
    stepInto,
    stepIntoGiven,
    step,
    addInto,
    addIntoGiven,
    addIntoSum,
    update,
    stepFree,
    computeGradients,
    wasmGrowth,
  }),
);
runtime.dispose();
