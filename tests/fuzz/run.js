/**
 * Hostile inputs against everything that reads files: each attempt returns, or throws an error of
 * the library's own, within 2 s of CPU time on the reference machine and with 64 MB + 8 × the input
 * of memory (uncollected garbage apart).
 *
 *   node tests/fuzz/run.js [--target NAME] [--runs N] [--short] [--seed S] [--index I] [--out FILE]
 *
 *   --target  one of the files in tests/fuzz/targets/, without ".js"; all of them if left out
 *   --runs    inputs of each target; its own number, `runs`, if left out
 *   --short   a fiftieth of that, for CI
 *   --seed    of the inputs (1)
 *   --index   this input alone, its findings with their stacks
 *   --out     writes the result as JSON
 *
 * A target exports
 *   runs             number of inputs of a full run
 *   create(prng)     returns an input, a Uint8Array or a string; prng() is an integer in [0, 2^32)
 *   attempt(input)   runs the built files in dist/ on an input; may return a promise
 *   large(size)      optional: returns [name, input] pairs of about `size` bytes, to check that
 *                    time and memory grow no faster than the input
 *
 * The inputs run in a thread of their own, which is ended when it hangs. What seems slow or large
 * there is measured again in a process of its own, since garbage and other programs count there as
 * well.
 *
 * CPU time depends on the machine, and on what other programs take of its caches and its clock. So
 * the process measures a yardstick (yardstick.js) before and after the attempt, and its CPU time
 * is divided by how many times slower than on the reference machine the yardstick was. A machine
 * that is faster than the reference gets no less time. An input fails by time only if a second
 * process finds the same. Results hold the raw time (`seconds`), both yardsticks in seconds, the
 * slowness, and the time that is judged (`referenceSeconds`).
 *
 * Prints a line for each target and ends with "N passed, N failed"; exits 1 if anything
 * failed.
 */
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createPrng } from './prng.js';
import { measureYardstick, slownessOf } from './yardstick.js';

const HERE = import.meta.dirname;
const TARGETS = join(HERE, 'targets');
/** CPU time of an attempt on the reference machine. */
const MAX_SECONDS = 2;
const BASE_BYTES = 64 * 1024 * 1024;
const BYTES_PER_INPUT_BYTE = 8;
const SHORT = 50;
const LARGE_BYTES = [1_000_000, 4_000_000];
/** Four times the input may take so many times the time, and so much more. */
const MAX_GROWTH = 8;
const GROWTH_SLACK_SECONDS = 0.1;
/** After so many findings a target is given up. */
const MAX_FINDINGS = 20;
/** A process that measures one input is ended after so long. */
const PROBE_TIMEOUT_MS = 60_000;

const lengthOf = (input) => (typeof input === 'string' ? Buffer.byteLength(input) : input.length);
const limitOf = (input) => BASE_BYTES + BYTES_PER_INPUT_BYTE * lengthOf(input);
const load = (name) => import(pathToFileURL(join(TARGETS, `${name}.js`)).href);

/** By name, since the entries of dist/ may have classes of their own. */
function isOurs(error) {
  for (let at = error; at !== null && typeof at === 'object'; at = Object.getPrototypeOf(at)) {
    if (at.constructor?.name === 'AdalError') return true;
  }
  return false;
}

/** How an attempt ended: 'read', the reason it was refused by, or null and the error. */
async function outcomeOf(attempt, input) {
  try {
    const result = attempt(input);
    if (typeof result?.then === 'function') await result;
    return { outcome: 'read' };
  } catch (error) {
    if (isOurs(error)) return { outcome: String(error.reason ?? error.code) };
    return {
      outcome: null,
      error: error instanceof Error ? (error.stack ?? String(error)) : String(error),
    };
  }
}

/** In the thread: inputs from `first` to `end`. */
async function runThread({ name, seed, first, end, progress }) {
  const { create, attempt } = await load(name);
  const outcomes = {};
  const findings = [];
  let slowestMs = 0;
  for (let index = first; index < end; index++) {
    const input = create(createPrng(seed, index));
    Atomics.store(progress, 0, index);
    Atomics.store(
      progress,
      1,
      Math.round(performance.now() + performance.timeOrigin - workerData.origin),
    );
    const before = process.memoryUsage.rss();
    const start = performance.now();
    const { outcome, error } = await outcomeOf(attempt, input);
    const ms = performance.now() - start;
    if (ms > slowestMs) slowestMs = ms;
    if (outcome === null) findings.push({ index, what: 'error', error });
    else outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    const grown = process.memoryUsage.rss() - before;
    if (ms > 1000 * MAX_SECONDS || grown > limitOf(input))
      findings.push({ index, what: 'suspect', ms, grown });
    if (findings.length >= MAX_FINDINGS) break;
  }
  Atomics.store(progress, 1, -1);
  parentPort.postMessage({ outcomes, findings, slowestMs });
}

/** Runs a thread; `hung` is the index of the input that it did not come back from, or null. */
function startThread(data) {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  progress[1] = -1;
  const origin = performance.timeOrigin;
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { ...data, progress, origin },
  });
  return new Promise((resolve) => {
    let result = null;
    let hung = null;
    let crash = null;
    const watch = setInterval(() => {
      const [index, since] = [Atomics.load(progress, 0), Atomics.load(progress, 1)];
      if (since < 0 || performance.now() - since < 4000 * MAX_SECONDS) return;
      hung = index;
      worker.terminate();
    }, 200);
    worker.on('message', (message) => (result = message));
    worker.on('error', (error) => (crash = error));
    worker.on('exit', () => {
      clearInterval(watch);
      resolve({ result, hung, crash, at: Atomics.load(progress, 0) });
    });
  });
}

/** Measures one input in a process of its own. */
function probe(name, what) {
  const child = fork(fileURLToPath(import.meta.url), ['--probe', name, JSON.stringify(what)], {
    execArgv: [
      '--expose-gc',
      ...(what.heapBytes ? [`--max-old-space-size=${Math.floor(what.heapBytes / 2 ** 20)}`] : []),
    ],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve) => {
    let result = { outcome: null, error: 'the process ended', referenceSeconds: 0 };
    const timer = setTimeout(
      () => {
        result = { ...result, error: `no end after ${PROBE_TIMEOUT_MS} ms` };
        child.kill('SIGKILL');
      },
      what.file ? PROBE_TIMEOUT_MS : 2 * PROBE_TIMEOUT_MS,
    );
    child.on('message', (message) => (result = message));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (result.error === 'the process ended') result.error += ` with ${signal ?? code}`;
      resolve(result);
    });
  });
}

/**
 * Begins to look for the most memory that the process has at once, bytes. Where the kernel's mark
 * can be set back (Linux) that is exact; elsewhere an earlier peak, which a process inherits from
 * its parent, hides a lower one, and what is held at the end must do.
 */
function startPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    const peak = () =>
      1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    peak();
    return peak;
  } catch {
    const before = process.resourceUsage().maxRSS;
    return () => {
      const { maxRSS } = process.resourceUsage();
      return maxRSS > before ? 1024 * maxRSS : process.memoryUsage.rss();
    };
  }
}

/**
 * In the process: the input of an index, or a large one by its size and place. It is made in this
 * process and measured in another, which reads it from a file: memory that making it has taken
 * would hide what the attempt takes.
 */
async function makeProbe(name, { seed, index, size, place }) {
  const { create, large } = await load(name);
  const input = size === undefined ? create(createPrng(seed, index)) : large(size)[place][1];
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  try {
    const file = join(folder, 'input');
    writeFileSync(file, input);
    const what = { file, isText: typeof input === 'string' };
    const result = await probe(name, what);
    if (result.outcome !== null && result.bytes > result.limit) {
      // Some of it may be garbage that nothing has asked V8 to collect. With a heap no larger than
      // the limit it must.
      const { outcome } = await probe(name, { ...what, heapBytes: result.limit });
      result.fitsHeap = outcome !== null;
    }
    process.send(result);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runProbe(name, { file, isText }) {
  const { create, attempt } = await load(name);
  // What is loaded and compiled at the first attempt is not the input's.
  for (let i = 0; i < 50; i++) await outcomeOf(attempt, create(createPrng(1, i)));
  const input = isText ? readFileSync(file, 'utf8') : new Uint8Array(readFileSync(file));
  globalThis.gc();
  // Before the yardstick: the attempt takes the pages that the yardstick leaves behind.
  const rssBefore = process.memoryUsage.rss();
  const yardstickBefore = measureYardstick();
  globalThis.gc();
  const peakOf = startPeak();
  const cpu = process.cpuUsage();
  const { outcome, error } = await outcomeOf(attempt, input);
  const { user, system } = process.cpuUsage(cpu);
  const bytes = Math.max(0, peakOf() - rssBefore);
  globalThis.gc();
  const yardstickSeconds = [yardstickBefore, measureYardstick()];
  const slowness = slownessOf(...yardstickSeconds);
  const seconds = (user + system) / 1e6;
  process.send({
    outcome,
    error,
    seconds,
    yardstickSeconds,
    slowness,
    referenceSeconds: seconds / slowness,
    bytes,
    length: lengthOf(input),
    limit: limitOf(input),
  });
}

/** A measured CPU time in words. */
function describeTime({ seconds, slowness, referenceSeconds }) {
  const here = `${seconds.toFixed(2)} s of CPU time`;
  if (slowness === 1) return here;
  const times = `the yardstick took ${slowness.toFixed(2)} times as long as there`;
  return `${here} (${referenceSeconds.toFixed(2)} s on the reference machine: ${times})`;
}

/** What is wrong with a measured input; null if nothing is. */
function faultOf({ outcome, error, bytes, limit, fitsHeap, ...times }) {
  if (outcome === null) return error;
  if (times.referenceSeconds > MAX_SECONDS)
    return `${describeTime(times)}, ${MAX_SECONDS} s at most`;
  if (bytes > limit && !fitsHeap)
    return `${(bytes / 2 ** 20).toFixed(0)} MB of memory, ${(limit / 2 ** 20).toFixed(0)} at most`;
  return null;
}

/** What is wrong with the growth from an input to one four times as large; null if nothing is. */
function growthFaultOf(small, big) {
  const allowed = MAX_GROWTH * small.referenceSeconds + GROWTH_SLACK_SECONDS;
  if (big.referenceSeconds <= allowed) return null;
  return `${describeTime(big)} for four times the input that took ${describeTime(small)}`;
}

/**
 * Measures an input, again if it took too long, and returns what is wrong with it; null if nothing
 * is.
 */
async function findFault(name, what) {
  const first = await probe(name, what);
  if (!(first.referenceSeconds > MAX_SECONDS)) return faultOf(first);
  return faultOf(await probe(name, what));
}

/** Measures a large input at two sizes. */
async function measureLarge(name, place) {
  const measured = [];
  for (const size of LARGE_BYTES) measured.push(await probe(name, { size, place }));
  const [small, big] = measured;
  const isSlow =
    measured.some(({ referenceSeconds }) => referenceSeconds > MAX_SECONDS) ||
    growthFaultOf(small, big) !== null;
  const fault = faultOf(small) ?? faultOf(big) ?? growthFaultOf(small, big);
  return { measured, fault, isSlow };
}

/** All random inputs of a target. */
async function runRandom(name, seed, runs) {
  const outcomes = {};
  const findings = [];
  let slowestMs = 0;
  for (let first = 0; first < runs && findings.length < MAX_FINDINGS; ) {
    const { result, hung, crash, at } = await startThread({ name, seed, first, end: runs });
    if (result) {
      for (const [key, count] of Object.entries(result.outcomes))
        outcomes[key] = (outcomes[key] ?? 0) + count;
      slowestMs = Math.max(slowestMs, result.slowestMs);
    }
    const suspects = result?.findings ?? [
      { index: hung ?? at, what: hung === null ? 'crash' : 'hang', error: String(crash) },
    ];
    for (const { index, what, error } of suspects) {
      const fault = what === 'error' ? error : await findFault(name, { seed, index });
      if (fault !== null) findings.push({ index, fault });
      else if (what === 'crash') findings.push({ index, fault: `the thread ended: ${error}` });
    }
    if (result) break;
    first = (hung ?? at) + 1;
  }
  return { outcomes, findings, slowestMs };
}

/** The large inputs of a target, at two sizes. */
async function runLarge(name) {
  const { large } = await load(name);
  if (!large) return [];
  const results = [];
  for (const [place, [what]] of large(LARGE_BYTES[0]).entries()) {
    let { measured, fault, isSlow } = await measureLarge(name, place);
    if (isSlow) ({ measured, fault } = await measureLarge(name, place));
    results.push({ what, fault, measured: measured.map(({ error: _, ...rest }) => rest) });
  }
  return results;
}

async function runTarget(name, { seed, runs, short }) {
  const target = await load(name);
  const count = runs ?? (short ? Math.ceil(target.runs / SHORT) : target.runs);
  const start = performance.now();
  const { outcomes, findings, slowestMs } = await runRandom(name, seed, count);
  const large = await runLarge(name);
  const seconds = (performance.now() - start) / 1000;
  const failed = Math.sign(findings.length) + large.filter(({ fault }) => fault !== null).length;
  const { read = 0, ...refused } = outcomes;
  const refusals = Object.values(refused).reduce((sum, n) => sum + n, 0);
  const counts = `${count} inputs: ${read} read, ${refusals} refused`;
  const duration = `${large.length} large ones, ${seconds.toFixed(0)} s`;
  const worst = `slowest ${slowestMs.toFixed(0)} ms, ${duration}`;
  console.log(
    `${failed > 0 ? 'FAILED' : 'passed'} ${name}: ${counts}, ${findings.length} findings; ${worst}`,
  );
  for (const { index, fault } of findings) {
    console.log(
      `  --target ${name} --seed ${seed} --index ${index}: ${JSON.stringify(fault.slice(0, 600))}`,
    );
  }
  for (const { what, fault } of large)
    if (fault !== null) console.log(`  ${what}: ${JSON.stringify(fault.slice(0, 600))}`);
  return {
    runs: count,
    read,
    refused,
    findings,
    slowestMs: Math.round(slowestMs),
    seconds: Math.round(seconds),
    large,
    failed,
  };
}

function integer(text, option) {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw new Error(`--${option} expected a whole number, got ${JSON.stringify(text)}`);
  return Number(text);
}

/** One input alone, its finding in full. */
async function showOne(name, seed, index) {
  const { create, attempt } = await load(name);
  const input = create(createPrng(seed, index));
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('latin1');
  console.log(`${lengthOf(input)} bytes: ${JSON.stringify(text.slice(0, 2000))}`);
  console.log(await outcomeOf(attempt, input));
}

async function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      target: text,
      runs: text,
      seed: text,
      index: text,
      out: text,
      short: { type: 'boolean' },
    },
  });
  const seed = integer(values.seed, 'seed') ?? 1;
  const [runs, index] = [integer(values.runs, 'runs'), integer(values.index, 'index')];
  const all = readdirSync(TARGETS).filter((file) => file.endsWith('.js'));
  const names = all.map((file) => file.slice(0, -3)).sort();
  if (values.target !== undefined && !names.includes(values.target)) {
    throw new Error(
      `--target expected one of ${names.join(', ')}, got ${JSON.stringify(values.target)}`,
    );
  }
  const chosen = values.target === undefined ? names : [values.target];
  if (index !== undefined) {
    for (const name of chosen) await showOne(name, seed, index);
    return;
  }
  const targets = {};
  let [passed, failed] = [0, 0];
  for (const name of chosen) {
    const result = await runTarget(name, { seed, runs, short: values.short });
    targets[name] = result;
    failed += result.failed;
    passed += 1 + result.large.length - result.failed;
  }
  const { version } = JSON.parse(readFileSync(join(HERE, '../../package.json'), 'utf8'));
  const machine = {
    node: process.version,
    platform: `${platform()} ${arch()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
  };
  const record = {
    library: version,
    ...machine,
    date: new Date().toISOString(),
    seed,
    passed,
    failed,
    targets,
  };
  if (values.out) {
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, `${JSON.stringify(record, null, 2)}\n`);
  }
  const folder = process.env.ADAL_RESULTS;
  if (folder) {
    const counts = { numPassedTests: passed, numFailedTests: failed, numFailedTestSuites: 0 };
    writeFileSync(join(folder, 'fuzz.json'), JSON.stringify(counts));
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (!isMainThread) await runThread(workerData);
else if (process.argv[2] === '--probe') {
  const what = JSON.parse(process.argv[4]);
  await (what.file ? runProbe : makeProbe)(process.argv[3], what);
} else {
  await main().catch((error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
}
