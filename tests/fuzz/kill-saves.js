/**
 * Kills processes in the midst of fileStore saves: each time the file loads as the version that was
 * reported last or the one after it, whole and with its checksum, and the next save is not held up
 * by what the killed process left.
 *
 *   node tests/fuzz/kill-saves.js [--kills N] [--seed S] [--out FILE]
 *
 *   --kills   how many (200)
 *   --seed    of the moments at which they die (1)
 *   --out     writes the result as JSON
 *
 * Ends with "N passed, N failed", a test for each kill; exits 1 if anything failed.
 */
import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { arch, cpus, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { decodeCheckpoint, encodeCheckpoint, fileStore } from '../../dist/node/checkpoint.js';
import { createPrng, Random } from './prng.js';

const ELEMENTS = 65_536;
/** A process dies so many milliseconds after its first save, at most. */
const MAX_DELAY_MS = 40;
/** A lock that is waited for lasts a minute. */
const MAX_SAVE_MS = 20_000;

/** A checkpoint whose every number is `count`. */
function checkpointOf(count) {
  const counters = {
    step: count,
    exponent: 0,
    V: 0,
    beta1Power: 0.5,
    beta2Power: 0.5,
    normMean: 0,
  };
  const floats = () => new Float32Array(ELEMENTS).fill(count);
  return encodeCheckpoint(
    {
      version: 1,
      algorithm: 'adam',
      options: {},
      step: count,
      groups: [{ params: ['w'], frozen: false, lr: 0.1, schedule: null }],
      params: { w: { shape: [ELEMENTS], data: floats() } },
      state: { w: { ...counters, arrays: { exp_avg: floats(), exp_avg_sq: floats() } } },
    },
    { count },
  );
}

/** The count of a checkpoint. @throws when its numbers are not all the same */
function countOf(bytes) {
  const { stateDict, extras } = decodeCheckpoint(bytes);
  const { exp_avg, exp_avg_sq } = stateDict.state.w.arrays;
  for (const array of [stateDict.params.w.data, exp_avg, exp_avg_sq]) {
    if (array.length !== ELEMENTS || array.some((x) => x !== extras.count))
      throw new Error('a mixture of versions');
  }
  return extras.count;
}

/** In the process that dies: saves rising counts, and tells each once it is saved. */
async function save(path, first) {
  const store = fileStore(path);
  let version = (await store.load())?.version ?? null;
  for (let count = first; ; count++) {
    ({ version } = await store.save(checkpointOf(count), { ifVersion: version }));
    writeSync(1, `${count}\n`);
  }
}

/** @returns the last count that was reported saved */
async function saveUntilKilled(path, first, delayMs) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), '--save', path, String(first)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let printed = '';
  let timer;
  child.stdout.on('data', (text) => {
    printed += text;
    timer ??= setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  const signal = await new Promise((resolve) => child.on('close', (_, name) => resolve(name)));
  clearTimeout(timer);
  if (signal !== 'SIGKILL') throw new Error('the process ended by itself');
  return Number(printed.trimEnd().split('\n').at(-1));
}

async function killOnce(path, state, delayMs) {
  const reported = await saveUntilKilled(path, state.count + 1, delayMs);
  const folder = dirname(path);
  if (readdirSync(folder).some((name) => name.endsWith('.lock'))) state.locked++;
  if (readdirSync(folder).length > 1) state.interrupted++;
  const { bytes, version } = await fileStore(path).load();
  const count = countOf(bytes);
  if (count !== reported && count !== reported + 1)
    throw new Error(`${count} is stored, ${reported} was reported`);
  if (count > reported) state.unreported++;
  const start = performance.now();
  await fileStore(path).save(checkpointOf(count + 1), { ifVersion: version });
  const ms = performance.now() - start;
  state.slowestSaveMs = Math.max(state.slowestSaveMs, Math.round(ms));
  if (ms > MAX_SAVE_MS) throw new Error(`the next save took ${ms.toFixed(0)} ms`);
  const left = readdirSync(folder).filter((name) => name !== 'model.safetensors');
  if (left.length > 0) throw new Error(`the next save left ${left.join(', ')}`);
  state.count = count + 1;
}

async function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({ options: { kills: text, seed: text, out: text } });
  const [kills, seed] = [Number(values.kills ?? 200), Number(values.seed ?? 1)];
  if (!Number.isSafeInteger(kills) || kills < 1)
    throw new Error(`--kills expected a whole number, got ${values.kills}`);
  if (!Number.isSafeInteger(seed))
    throw new Error(`--seed expected a whole number, got ${values.seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'adal-kill-'));
  const path = join(folder, 'model.safetensors');
  const state = { count: 0, interrupted: 0, locked: 0, unreported: 0, slowestSaveMs: 0 };
  const findings = [];
  for (let kill = 0; kill < kills; kill++) {
    const delayMs = new Random(createPrng(seed, kill)).below(10 * MAX_DELAY_MS) / 10;
    try {
      await killOnce(path, state, delayMs);
    } catch (error) {
      findings.push({ kill, fault: error.message });
      console.log(`kill ${kill}: ${error.message}`);
      rmSync(path, { force: true });
      state.count = 0;
    }
  }
  rmSync(folder, { recursive: true, force: true });
  const { count: _, ...figures } = state;
  const [passed, failed] = [kills - findings.length, findings.length];
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
  );
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
    kills,
    ...figures,
    findings,
    passed,
    failed,
  };
  if (values.out) {
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, `${JSON.stringify(record, null, 2)}\n`);
  }
  const left = `${figures.interrupted} left files behind, ${figures.locked} a lock`;
  const shown = `${left}, ${figures.unreported} had saved one more`;
  console.log(`${kills} kills: ${shown}; slowest save after one ${figures.slowestSaveMs} ms`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (process.argv[2] === '--save') await save(process.argv[3], Number(process.argv[4]));
else {
  await main().catch((error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
}
