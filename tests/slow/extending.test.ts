/**
 * Follows docs/extending.md to the letter in a copy of the tree: creates the files that it shows,
 * applies its diffs, builds, and trains with the optimizer, the layer and the state format on every
 * backend. So the page is what it claims, and the number of files too.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/extending.md'), 'utf8');

let copy = '';

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'adal-extending-'));
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
  for (const file of tracked.split('\0').filter((name) => name && !name.startsWith('bench/'))) {
    cpSync(join(ROOT, file), join(copy, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** The part of the page under a heading of the second level. */
function chapter(title: string): string {
  const [, text] = PAGE.split(`\n## ${title}\n`);
  return text!.split('\n## ')[0]!;
}

/**
 * Makes the edits of a chapter.
 * @returns paths of the files that it changes
 */
function follow(title: string): string[] {
  const changed = new Set<string>();
  const blocks = /(?:Create|lines? (?:in|to)) `([^`]+)`(?:(?!```)[\s\S])*?```(\w+)\n([\s\S]*?)```/g;
  for (const [, path, language, text] of chapter(title).matchAll(blocks)) {
    const file = join(copy, path!);
    if (language === 'diff') {
      writeFileSync(file, patched(readFileSync(file, 'utf8'), text!));
    } else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text!);
    }
    changed.add(path!);
  }
  return [...changed];
}

/** Applies a diff without line numbers: blank lines part its hunks, each found by its own lines. */
function patched(text: string, diff: string): string {
  const lines = text.split('\n');
  for (const hunk of diff.trimEnd().split('\n\n')) {
    let at = lines.length - 1; // a hunk of nothing but new lines goes to the end
    for (const line of hunk.split('\n')) {
      const [mark, content] = [line[0], line.slice(1)];
      if (mark === '+') {
        lines.splice(at, 0, content);
        at++;
        continue;
      }
      const found = lines.indexOf(content);
      expect(found, `the line "${content}" of the page is in the file`).toBeGreaterThanOrEqual(0);
      if (mark === '-') lines.splice(found, 1);
      at = mark === '-' ? found : found + 1;
    }
  }
  return lines.join('\n');
}

const TRIAL = `
import { expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint';
import { createOptimizer, createRuntime } from '../src/index';
import { createModel, crossEntropy, dense, sequential, softsign } from '../src/nn';

const BACKENDS = [
  { backend: 'oracle' },
  { backend: 'simd' },
  { backend: 'threads', threads: 2, parallelThreshold: 0 },
] as const;
const wave = (n: number, k: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * k));

type Runtime = Awaited<ReturnType<typeof createRuntime>>;
async function everywhere<T>(run: (runtime: Runtime) => Promise<T>) {
  const results: T[] = [];
  for (const options of BACKENDS) {
    const runtime = await createRuntime(options);
    expect(runtime.info.backend).toBe(options.backend);
    results.push(await run(runtime));
    runtime.dispose();
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
  return results[0]!;
}

it('the optimizer', async () => {
  const weights = await everywhere(async (runtime) => {
    const params = { w: wave(20_000, 0.3), b: wave(7, 0.9) };
    let optimizer = await createOptimizer('tiger', params, { runtime, lr: 0.01, weightDecay: 0.1 });
    for (let t = 1; t <= 34; t++) {
      optimizer.grads.w.set(wave(20_000, t));
      optimizer.grads.b.set(wave(7, 2 * t));
      optimizer.step();
      if (t !== 20) continue;
      const saved = decodeCheckpoint(encodeCheckpoint(optimizer.stateDict())).stateDict;
      optimizer = await createOptimizer('tiger', params, { runtime, lr: 0.01, weightDecay: 0.1 });
      optimizer.loadStateDict(saved);
    }
    return [[...optimizer.params.w], [...optimizer.params.b]];
  });
  expect(weights[1]).not.toEqual([...wave(7, 0.9)]);
});

it('the layer', async () => {
  const outputs = await everywhere(async (runtime) => {
    const layers = sequential([dense(16), softsign(), dense(3)]);
    const model = await createModel(runtime, {
      inputShape: [8], layers, loss: crossEntropy(), batchSize: 32, training: true, seed: 1,
    });
    const optimizer = await createOptimizer('adam', model.parameters, { runtime });
    for (let t = 1; t <= 5; t++) {
      model.input.set(wave(256, t));
      model.labels.set(Int32Array.from({ length: 32 }, (_, i) => i % 3));
      model.computeGradients(32);
      optimizer.step();
    }
    return Object.values(model.parameters).map(({ value }) => [...value.data]);
  });
  expect(outputs.flat().every(Number.isFinite)).toBe(true);
});

it('the state format', async () => {
  const weights = await everywhere(async (runtime) => {
    const params = { w: wave(5_000, 0.3) };
    let optimizer = await createOptimizer('adam', params, { runtime, state: 'truncated' });
    for (let t = 1; t <= 34; t++) {
      optimizer.grads.w.set(wave(5_000, t));
      optimizer.step();
      if (t !== 20) continue;
      const saved = decodeCheckpoint(encodeCheckpoint(optimizer.stateDict())).stateDict;
      optimizer = await createOptimizer('adam', params, { runtime, state: 'truncated' });
      optimizer.loadStateDict(saved);
    }
    expect(optimizer.memory().state).toBeLessThan(4.2 * 5_000);
    return [...optimizer.params.w];
  });
  expect(weights).not.toEqual([...wave(5_000, 0.3)]);
});
`;

function run(command: string, ...args: string[]): string {
  const options = { cwd: copy, encoding: 'utf8', stdio: 'pipe', maxBuffer: 2 ** 26 } as const;
  try {
    return execFileSync(command, args, options);
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}

it('adds an optimizer, a layer and a state format that work on every backend', () => {
  expect(follow('An optimizer').length).toBeLessThanOrEqual(4);
  expect(follow('A layer').length).toBeLessThanOrEqual(4);
  expect(follow('A state format').length).toBeLessThanOrEqual(2);
  run('node', 'scripts/build-wasm.js');
  writeFileSync(join(copy, 'tests/extended.test.ts'), TRIAL);
  run('npx', 'vitest', 'run', '--project', 'unit', 'tests/extended.test.ts');
});
