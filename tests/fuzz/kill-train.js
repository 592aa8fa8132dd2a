/**
 * Kills `adal train` with SIGKILL at random points, the writing of its results included, and goes
 * on with `--resume` (which is killed as well) until a run is complete: every run must end with the
 * hash of one that was never interrupted, and its folder must hold the same files.
 *
 *   node tests/fuzz/kill-train.js [--kills 150] [--seed 1] [--out <file>.json]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const EPOCHS = 24;
const TRAIN = [
  'train',
  '--epochs',
  String(EPOCHS),
  '--model',
  'mlp:256-128',
  '--preset',
  'practical',
  '--seed',
  '5',
];
const FILES = ['checkpoint.safetensors', 'curves.svg', 'run.json', 'weights.safetensors'];
/** After the line of the last epoch, the results are written within about so many milliseconds. */
const RESULTS_MS = 40;
/** A run that was killed so often is let go on to its end. */
const MOST_KILLS = 4;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const kills = Number(values.kills);
const random = generator(Number(values.seed));
const cwd = mkdtempSync(join(tmpdir(), 'adal-kill-train-'));

/** Fractions in [0, 1), the same for the same seed. */
function generator(seed) {
  let state = BigInt(seed) * 2n + 1n;
  const next = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & (2n ** 64n - 1n);
    return Number(state >> 33n) / 2 ** 31;
  };
  // Small seeds have much in common at first.
  for (let i = 0; i < 16; i++) next();
  return next;
}

/**
 * Runs the command line.
 * @param {string[]} args
 * @param {{ afterMs: number, epoch: number } | null} kill milliseconds after the start (epoch 0) or
 * after the
 *   line of an epoch on stderr
 */
function adal(args, kill) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const result = { code: null, signal: null, stderr: '' };
    let timer;
    const arm = () => {
      timer = setTimeout(() => child.kill('SIGKILL'), kill.afterMs);
    };
    if (kill?.epoch === 0) arm();
    child.stderr.setEncoding('utf8').on('data', (text) => {
      result.stderr += text;
      if (
        kill &&
        kill.epoch > 0 &&
        !timer &&
        result.stderr.includes(`epoch ${kill.epoch}/${EPOCHS}`)
      )
        arm();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...result, code, signal });
    });
  });
}

function readRun(folder) {
  return JSON.parse(readFileSync(join(cwd, folder, 'run.json'), 'utf8'));
}

/** Where a killed process was, by what it left. */
function stageOf(folder) {
  let names;
  try {
    names = readdirSync(join(cwd, folder));
  } catch {
    return 'before the folder';
  }
  if (names.includes('run.json')) return 'after all results';
  if (names.includes('weights.safetensors')) return 'between the results';
  if (names.some((name) => name.startsWith('weights.safetensors.')))
    return 'while the weights were written';
  if (names.some((name) => name.startsWith('checkpoint.safetensors.')))
    return 'while a checkpoint was written';
  return names.includes('checkpoint.safetensors')
    ? 'after a checkpoint'
    : 'before the first checkpoint';
}

function fail(message, run) {
  console.error(`${message}\n${run?.stderr ?? ''}\nkept: ${cwd}`);
  process.exit(1);
}

const begin = performance.now();
const whole = await adal([...TRAIN, '--out', 'whole'], null);
if (whole.code !== 0) fail('the uninterrupted run failed', whole);
const wholeMs = performance.now() - begin;
const expected = readRun('whole');

const stages = {};
let [done, runs, restarted] = [0, 0, 0];
while (done < kills) {
  const folder = `run${runs++}`;
  let args = [...TRAIN, '--out', folder];
  for (let killed = 0; ; ) {
    const isKill = done < kills && killed < MOST_KILLS;
    // Half of the kills are meant for the short time in which results are written.
    const late = random() < 0.5;
    const afterMs = late ? random() * RESULTS_MS : random() * 1.1 * wholeMs;
    const run = await adal(args, isKill ? { afterMs, epoch: late ? EPOCHS : 0 } : null);
    if (run.signal === 'SIGKILL') {
      done++;
      killed++;
      const stage = stageOf(folder);
      stages[stage] = (stages[stage] ?? 0) + 1;
      args = ['train', '--resume', folder];
      continue;
    }
    if (run.code === 0) break;
    if (
      /no such file or folder|a folder with a checkpoint.safetensors, got one without/.test(
        run.stderr,
      )
    ) {
      // Nothing was saved yet: the run begins again, in the same folder.
      restarted++;
      args = [...TRAIN, '--out', folder];
    } else if (run.code === 2 && /--epochs expected more than/.test(run.stderr)) {
      break; // It had been complete.
    } else {
      fail(`${folder}: exit ${run.code}`, run);
    }
  }
  const { parameterHash, epochs } = readRun(folder);
  if (parameterHash !== expected.parameterHash)
    fail(`${folder}: hash ${parameterHash}, expected ${expected.parameterHash}`);
  if (JSON.stringify(epochs) !== JSON.stringify(expected.epochs))
    fail(`${folder}: the epochs' figures differ`);
  // The lock of a killed save stays until the next save, which sees that its process has ended
  // (kill-saves.js).
  const left = readdirSync(join(cwd, folder))
    .filter((name) => name !== 'checkpoint.safetensors.lock')
    .sort();
  if (left.join() !== FILES.join()) fail(`${folder}: holds ${left.join(', ')}`);
  rmSync(join(cwd, folder), { recursive: true });
}
rmSync(cwd, { recursive: true });

const record = {
  command: `node tests/fuzz/kill-train.js --kills ${kills} --seed ${values.seed}`,
  node: process.versions.node,
  platform: `${process.platform} ${process.arch}`,
  kills: done,
  runs,
  restartedFromNothing: restarted,
  stages: Object.fromEntries(Object.entries(stages).sort(([a], [b]) => (a < b ? -1 : 1))),
  hash: expected.parameterHash,
  otherHashes: 0,
};
console.log(JSON.stringify(record, null, 2));
if (values.out) {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(record, null, 2)}\n`);
}
// In CI every kill that ended well counts as a test; a failure has ended this program before.
if (process.env.ADAL_RESULTS) {
  const counts = { numPassedTests: done, numFailedTests: 0, numFailedTestSuites: 0 };
  writeFileSync(join(process.env.ADAL_RESULTS, 'kills.json'), JSON.stringify(counts));
}
