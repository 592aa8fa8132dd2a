/**
 * npm run bench:step — what an AdaL step costs: ns a parameter and GB/s over sizes, threads,
 * layouts and dead coordinates, beside plain JavaScript, a triad and the native yardstick, all
 * interleaved in one run.
 *
 *   node bench/micro/step.js [--rounds 15] [--out folder]
 *
 * Arrays beyond every cache are timed in a process of their own each time, as the native program
 * is: where pages lie matters there, and what other contenders hold.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import asc from 'assemblyscript/asc';
import { AdaL, createRuntime, emptyResult } from '../../dist/index.js';
import { replaceFile } from '../../scripts/replace-file.js';
import { environment } from '../harness/environment.js';
import { compileNative } from '../harness/native.js';
import { mad, median, pairedRatio } from '../harness/stats.js';
import { createTable } from '../harness/table.js';
import { timeRounds } from '../harness/timing.js';
import { measureDispatch } from './dispatch.js';
import { createPlainStep } from './plain-step.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    out: { type: 'string' },
    // Time one contender of one size, print the nanoseconds a call, and end.
    contender: { type: 'string' },
    size: { type: 'string' },
  },
});
const ROUNDS = Number(options.rounds);
const SIZES = [1024, 16_384, 262_144, 1_048_576, 16_777_216];
/** Bytes a parameter: g read twice (norm, update); θ, m, v read and written. */
const STEP_BYTES = 32;
const TRIAD_BYTES = 28;
const RULE = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8 };

/** Smooth, seedless test data: no zeros, no subnormals. A pattern of 4,096 elements, repeated. */
function fill(array, scale, phase) {
  const pattern = Math.min(4096, array.length);
  for (let i = 0; i < pattern; i++) array[i] = scale * Math.sin(7 * i + phase);
  for (let done = pattern; done < array.length; done *= 2) array.copyWithin(done, 0, done);
  return array;
}

function createOptimizer(runtime, shapes) {
  const params = Object.fromEntries(shapes.map((length, i) => [`w${i}`, { shape: [length] }]));
  const optimizer = new AdaL(runtime, params, RULE);
  for (const name of Object.keys(params)) {
    fill(optimizer.params[name], 1, 0);
    fill(optimizer.grads[name], 1e-3, 1);
  }
  return optimizer;
}

function stepper(optimizer) {
  const result = emptyResult();
  return () => optimizer.stepInto(result).gradNorm;
}

async function createTriad(length) {
  const folder = process.env.TMPDIR ?? '/tmp';
  const out = join(folder, `adal-triad-${process.pid}.wasm`);
  const { error, stderr } = await asc.main([
    'bench/micro/triad.ts',
    '-o',
    out,
    '-O3',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--importMemory',
    '--noAssert',
  ]);
  if (error) throw new Error(stderr.toString());
  const { readFileSync, rmSync } = await import('node:fs');
  const memory = new WebAssembly.Memory({ initial: Math.ceil((16 * length) / 65_536) + 1 });
  const { instance } = await WebAssembly.instantiate(readFileSync(out), { env: { memory } });
  rmSync(out);
  let turn = 0;
  return () => {
    if (++turn % 64 === 0) new Float32Array(memory.buffer).fill(0);
    instance.exports.triad(64, 64 + 4 * length, 64 + 8 * length, 64 + 12 * length, length);
    return 0;
  };
}

/** What runs at every size: for each, what makes the function to time. */
const CONTENDERS = {
  'wasm simd': async (size) =>
    stepper(createOptimizer(await createRuntime({ backend: 'simd' }), [size])),
  'wasm simd + copy in': async (size) => {
    const optimizer = createOptimizer(await createRuntime({ backend: 'simd' }), [size]);
    const gradients = { w0: fill(new Float32Array(size), 1e-3, 1) };
    const result = emptyResult();
    return () => optimizer.stepInto(result, gradients).gradNorm;
  },
  'wasm threads 2': async (size) => {
    const runtime = await createRuntime({ backend: 'threads', threads: 2, parallelThreshold: 0 });
    return stepper(createOptimizer(runtime, [size]));
  },
  'plain JS': (size) => {
    const [beta1, beta2] = RULE.betas;
    const theta = fill(new Float32Array(size), 1, 0);
    return createPlainStep(theta, fill(new Float32Array(size), 1e-3, 1), { ...RULE, beta1, beta2 });
  },
  triad: createTriad,
};

/** From here on a process for each. */
const LARGE = 4_000_000;

function timeApart(name, size) {
  const script = new URL(import.meta.url).pathname;
  const output = execFileSync(
    process.execPath,
    [script, '--contender', name, '--size', String(size)],
    { encoding: 'utf8' },
  );
  return Number(output);
}

/** All sizes, natives interleaved round by round with the rest. */
async function measureSizes(native) {
  const results = new Map(SIZES.map((size) => [size, {}]));
  const add = (size, name, time) => {
    const times = results.get(size);
    times[name] ??= [];
    times[name].push(time);
  };
  const kept = new Map();
  for (const size of SIZES.filter((size) => size < LARGE)) {
    const contenders = {};
    for (const [name, create] of Object.entries(CONTENDERS)) contenders[name] = await create(size);
    kept.set(size, contenders);
  }
  for (let round = 0; round < ROUNDS; round++) {
    process.stderr.write(`\rround ${round + 1}/${ROUNDS} `);
    for (const [name, run] of Object.entries(native.runs ?? {})) {
      for (const { n, step, triad } of run()) {
        add(n, name, step * n);
        if (name === 'native') add(n, 'native triad', triad * n);
      }
    }
    for (const size of SIZES) {
      if (size < LARGE) {
        for (const [name, [time]] of Object.entries(timeRounds(kept.get(size), 1)))
          add(size, name, time);
      } else {
        for (const name of Object.keys(CONTENDERS)) add(size, name, timeApart(name, size));
      }
    }
  }
  process.stderr.write('\r');
  return results;
}

/** 2,000 steps after some gradients have stopped: a step must not get slower. */
async function measureDead() {
  const runtime = await createRuntime({ backend: 'simd' });
  const contenders = {};
  for (const percent of [0, 10, 100]) {
    const optimizer = createOptimizer(runtime, [262_144]);
    for (let i = 0; i < 5; i++) optimizer.step();
    const grads = optimizer.grads.w0;
    for (let i = 0; i < grads.length; i++) if (i % 100 < percent) grads[i] = 0;
    for (let i = 0; i < 2000; i++) optimizer.step();
    contenders[`${percent}% dead`] = stepper(optimizer);
  }
  return timeRounds(contenders, 3 * ROUNDS);
}

async function measureLayouts() {
  const runtime = await createRuntime({ backend: 'simd' });
  const contenders = {
    '1 tensor of 10,000': stepper(createOptimizer(runtime, [10_000])),
    '100 tensors of 100': stepper(createOptimizer(runtime, Array(100).fill(100))),
  };
  return timeRounds(contenders, 3 * ROUNDS);
}

const fixed = (value, digits = 3) => value.toFixed(digits);
const claims = [];

/** A requirement with what was measured. */
function claim(text, value, limit, atMost = true) {
  claims.push({
    text,
    value,
    limit: `${atMost ? '≤' : '≥'} ${limit}`,
    holds: atMost ? value <= limit : value >= limit,
  });
}

function sizeTable(results) {
  const table = createTable({
    n: 'right',
    contender: 'left',
    'ns/param': 'right',
    '± MAD': 'right',
    'GB/s': 'right',
    'vs wasm simd': 'right',
  });
  for (const [size, times] of results) {
    for (const [name, values] of Object.entries(times)) {
      const ns = median(values) / size;
      const bytes = name.includes('triad') ? TRIAD_BYTES : STEP_BYTES;
      const ratio = pairedRatio(values, times['wasm simd']).median;
      table.push([
        size.toLocaleString('en'),
        name,
        fixed(ns),
        fixed(mad(values) / size),
        fixed(bytes / ns, 1),
        `${fixed(ratio, 2)}×`,
      ]);
    }
  }
  return table;
}

function claimSizes(results, major) {
  const at = (size) => results.get(size);
  const ratio = (size, a, b) => pairedRatio(at(size)[a], at(size)[b]).median;
  if (at(262_144).native128) {
    claim(
      'n = 262,144: wasm simd / native 128-bit',
      ratio(262_144, 'wasm simd', 'native128'),
      major >= 24 ? 1.1 : 1.15,
    );
    claim(
      'n = 16,777,216: wasm simd / native widest',
      ratio(16_777_216, 'wasm simd', 'native'),
      1.35,
    );
  }
  for (const size of SIZES)
    claim(
      `n = ${size.toLocaleString('en')}: plain JS / wasm simd`,
      ratio(size, 'plain JS', 'wasm simd'),
      size <= 262_144 ? 5 : 4,
      false,
    );
  claim(
    'n = 1,048,576: one thread / two threads',
    ratio(1_048_576, 'wasm simd', 'wasm threads 2'),
    1.6,
    false,
  );
}

if (options.contender) {
  const size = Number(options.size);
  const [[time]] = Object.values(
    timeRounds({ [options.contender]: await CONTENDERS[options.contender](size) }, 1),
  );
  console.log(time);
  process.exit(0);
}

const native = compileNative();
const env = environment();
console.log(
  `${env.runtime} (${env.engine}), ${env.cpu}, ${env.date}; ${ROUNDS} interleaved rounds`,
);
if (native.reason) console.log(`native yardstick: unsupported (${native.reason})`);
const sizes = await measureSizes(native);
console.log(sizeTable(sizes).toString());
claimSizes(sizes, Number(process.versions.node.split('.')[0]));
const dead = await measureDead();
for (const percent of [10, 100]) {
  claim(
    `${percent}% dead coordinates / none`,
    pairedRatio(dead[`${percent}% dead`], dead['0% dead']).median,
    1.05,
  );
}
const layouts = await measureLayouts();
claim(
  '100 tensors of 100 / 1 tensor of 10,000',
  pairedRatio(layouts['100 tensors of 100'], layouts['1 tensor of 10,000']).median,
  3,
);
const dispatch = await measureDispatch();
claim('dispatch to a spinning worker and back, p50, µs', dispatch.spinning.p50, 15);
console.log(
  `dispatch to a parked worker and back: p50 ${fixed(dispatch.parked.p50, 1)} µs, p90 ${fixed(dispatch.parked.p90, 1)} µs`,
);

const summary = createTable({ required: 'left', limit: 'right', measured: 'right', '': 'left' });
for (const { text, value, limit, holds } of claims)
  summary.push([text, limit, fixed(value, 2), holds ? 'holds' : 'MISSED']);
console.log(summary.toString());

if (options.out) {
  mkdirSync(options.out, { recursive: true });
  const file = join(
    options.out,
    `step-${env.date}-node${process.versions.node.split('.')[0]}.json`,
  );
  const raw = {
    version: 1,
    environment: env,
    rounds: ROUNDS,
    unit: 'ns a call',
    sizes: Object.fromEntries(sizes),
    dead,
    layouts,
    dispatch,
    claims,
  };
  replaceFile(file, `${JSON.stringify(raw)}\n`);
  console.log(`raw samples: ${file}`);
}
process.exit(0);
