/**
 * Builds every program of tests/adopters/programs.js and trains a step of it, with the built
 * package. Ends with "N of 65 expressible"; exits 1 if fewer than 62 are.
 *
 *   node tests/adopters/run.js [NUMBER…]    these programs alone
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRuntime } from 'adal-wasm';
import { createModel } from 'adal-wasm/nn';
import { createOptimizer } from 'adal-wasm/registry';
import { PROGRAMS } from './programs.js';

const LEAST = 62;

/** Numbers in [-1, 1], the same in every run. */
function* numbers() {
  for (let state = 1; ; state = (state * 48_271) % 2_147_483_647)
    yield (2 * state) / 2_147_483_647 - 1;
}

/** Fills the batch's inputs, and the targets of outputs that have a loss. */
function fillBatch(model, { fill, batch }) {
  const random = numbers();
  for (const [name, values] of Object.entries(model.inputs)) {
    const rows = typeof fill === 'object' ? fill[name] : fill;
    for (let i = 0; i < values.length; i++) {
      const value = random.next().value;
      values[i] = rows === undefined ? value : Math.floor(((value + 1) / 2) * rows) % rows;
    }
  }
  for (const [name, targets] of Object.entries(model.outputTargets)) {
    const classes = model.outputShapes[name].at(-1);
    for (let i = 0; i < targets.length; i++) {
      const share = (random.next().value + 1) / 2;
      targets[i] = targets instanceof Int32Array ? Math.floor(share * classes) % classes : share;
    }
  }
  return batch;
}

/** Trains a step; returns what is wrong, or null. */
async function train(variant) {
  const runtime = await createRuntime({ threads: 1 });
  try {
    if (variant.train) {
      const { skipped } = await variant.train({ runtime, createModel, createOptimizer });
      return skipped ? 'the step was skipped' : null;
    }
    const model = await createModel(runtime, variant.model);
    variant.setUp?.(model);
    const count = fillBatch(model, variant);
    if (variant.optimizer === null) {
      model.forward({ count });
      return model.output.every(Number.isFinite) ? null : 'outputs are not finite';
    }
    const [name, options] = variant.optimizer;
    const optimizer = await createOptimizer(name, model.parameters, { ...options, runtime });
    const before = Object.entries(model.parameters).map(([key, { value }]) => [
      key,
      value.data.slice(),
    ]);
    let loss = 0;
    if (variant.own) {
      model.forward({ training: true, count });
      variant.own(model, count);
    } else {
      loss = model.computeGradients(count);
    }
    const { skipped } = optimizer.step();
    if (!Number.isFinite(loss)) return `the loss is ${loss}`;
    if (skipped) return 'the step was skipped';
    const moved = before.some(([key, values]) =>
      model.parameters[key].value.data.some((value, i) => value !== values[i]),
    );
    return moved ? null : 'no weight has moved';
  } finally {
    runtime.dispose();
  }
}

const wanted = process.argv.slice(2).map(Number);
const failures = [];
let expressible = 0;
for (const [number, name, variants] of PROGRAMS) {
  if (wanted.length > 0 && !wanted.includes(number)) continue;
  const start = performance.now();
  let fault = null;
  for (const variant of variants) {
    fault ??= await train(variant).catch((error) => error.message);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (fault === null) expressible++;
  else failures.push(number);
  console.log(`${fault === null ? 'passed' : 'FAILED'} ${number} ${name} (${seconds} s)`);
  if (fault !== null) console.log(`  ${fault}`);
}
const folder = process.env.ADAL_RESULTS;
if (folder) {
  mkdirSync(folder, { recursive: true });
  const numFailedTests = expressible >= LEAST ? 0 : failures.length;
  const counts = { numPassedTests: expressible, numFailedTests, numFailedTestSuites: 0 };
  writeFileSync(join(folder, 'adopters.json'), JSON.stringify(counts));
}
console.log(`${expressible} of ${PROGRAMS.length} expressible`);
if (wanted.length === 0 && expressible < LEAST) process.exitCode = 1;
