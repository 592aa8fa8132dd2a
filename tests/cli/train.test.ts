/**
 * `adal train`: what it prints, what it writes, and that the same run has the same weights however
 * it is computed.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadDigits, trainTestSplit } from '../../src/data';
import { createOptimizer, createRuntime, practical } from '../../src/index';
import { createModel, dense, evaluate, fit, relu } from '../../src/nn';
import { decodeSafetensors } from '../support/safetensors';
import { adal, type Ending, expectRefusal, readRun, temporaryFolder } from './cli';

/** Escape sequences and carriage returns have no place where there is no terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f]/;

function hashOfWeights(folder: string): string {
  const { tensors } = decodeSafetensors(readFileSync(join(folder, 'weights.safetensors')));
  const hash = createHash('sha256');
  for (const { data } of tensors.values()) hash.update(new Uint8Array(data.buffer));
  return hash.digest('hex');
}

describe('a run on digits', () => {
  const cwd = temporaryFolder();

  test('optimizers learn, with and without schedules', async () => {
    for (const choice of [
      'sgd --lr 0.1',
      'adam --schedule cosine --lr 0.003',
      'lion --schedule one-cycle --lr 0.003',
      'adagrad',
    ]) {
      const { code, stdout } = await adal(
        ['train', '--epochs', '3', '--optimizer', ...choice.split(' ')],
        cwd,
      );
      expect(code).toBe(0);
      expect(Number(/test accuracy +([\d.]+)%/.exec(stdout)?.[1]), choice).toBeGreaterThan(80);
    }
  });

  test('writes the weights that it evaluated, also those that an optimizer averages', async () => {
    const { code } = await adal(
      [
        'train',
        '--epochs',
        '1',
        '--optimizer',
        'schedule-free-adamw',
        '--lr',
        '0.01',
        '--out',
        'free',
      ],
      cwd,
    );
    expect(code).toBe(0);
    const { tensors } = decodeSafetensors(readFileSync(join(cwd, 'free/weights.safetensors')));
    const runtime = await createRuntime();
    const model = await createModel(runtime, {
      inputSize: 64,
      layers: [dense(64), relu(), dense(10)],
    });
    for (const [name, { value }] of Object.entries(model.parameters))
      value.data.set(tensors.get(name)!.data as Float32Array);
    const { test } = trainTestSplit(loadDigits(), { seed: 1 });
    const { accuracy, loss } = evaluate(model, test);
    expect(readRun(join(cwd, 'free')).result).toMatchObject({
      testAccuracy: accuracy,
      testLoss: loss,
    });
    runtime.dispose();
  });

  test('prints a summary and writes weights and record that fit each other', async () => {
    const { code, stdout, stderr } = await adal(
      ['train', '--epochs', '2', '--preset', 'practical'],
      cwd,
    );
    expect(code).toBe(0);
    expect(stdout + stderr).not.toMatch(CONTROL);
    expect(stderr).toMatch(
      /^epoch 2\/2 {2}loss \d\.\d{4} {2}test \d\d\.\d\d% {2}[\d,]+ samples\/s$/m,
    );
    const folder = join(cwd, 'runs/digits-adal-practical-seed1');
    const run = readRun(folder);
    expect(readdirSync(folder).sort()).toEqual([
      'checkpoint.safetensors',
      'curves.svg',
      'run.json',
      'weights.safetensors',
    ]);
    expect(run).toMatchObject({
      version: 1,
      command: 'train',
      options: {
        data: 'digits',
        model: 'mlp:64',
        optimizer: 'adal',
        preset: 'practical',
        epochs: 2,
        batchSize: 32,
        seed: 1,
      },
      environment: { runtimeVersion: process.versions.node, platform: process.platform },
      info: { backend: 'simd', threads: 1 },
      data: { name: 'digits', trainCount: 1348, testCount: 449, featureCount: 64, classCount: 10 },
      model: { title: '64-64-10', inputShape: [64], parameterCount: 4810 },
      result: { steps: 86, skippedSteps: 0, aborted: false },
    });
    expect(run.epochs).toHaveLength(2);
    expect(run.result.testAccuracy).toBe(run.epochs[1].testAccuracy);
    expect(run.parameterHash).toBe(hashOfWeights(folder));
    expect(stdout).toContain(run.parameterHash);
    expect(stdout).toMatch(
      /^backend +simd, 1 thread \(4,810 parameters: threads pay off from 65,536\)$/m,
    );
    const { tensors, metadata } = decodeSafetensors(
      readFileSync(join(folder, 'weights.safetensors')),
    );
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['dense1.weight', [64, 64]],
      ['dense1.bias', [64]],
      ['dense2.weight', [10, 64]],
      ['dense2.bias', [10]],
    ]);
    expect(metadata).toMatchObject({
      model: '64-64-10',
      preset: 'practical',
      steps: '86',
      sha256: run.parameterHash,
    });
  });

  test('does what the library does', async () => {
    expect(
      (
        await adal(
          ['train', '--epochs', '1', '--preset', 'practical', '--seed', '3', '--out', 'same'],
          cwd,
        )
      ).code,
    ).toBe(0);
    const runtime = await createRuntime({ backend: 'simd' });
    const { train, test: held } = trainTestSplit(loadDigits(), { seed: 3 });
    const model = await createModel(runtime, {
      inputSize: 64,
      layers: [dense(64), relu(), dense(10)],
      seed: 3,
    });
    const optimizer = await createOptimizer('adal', model.parameters, {
      runtime,
      ...practical({ totalSteps: 43 }),
    });
    await fit(model, train, { optimizer, validation: held, epochs: 1, seed: 3 });
    const hash = createHash('sha256');
    for (const { value } of Object.values(model.parameters))
      hash.update(new Uint8Array(value.data.slice().buffer));
    runtime.dispose();
    expect(readRun(join(cwd, 'same')).parameterHash).toBe(hash.digest('hex'));
  });

  test('has the same hash on one thread, two threads and the oracle', async () => {
    const ways = [
      ['--threads', '1'],
      ['--threads', '2'],
      ['--backend', 'threads', '--threads', '3'],
      ['--backend', 'oracle'],
    ];
    const runs = await Promise.all(
      ways.map(async (way, index) => {
        const { code } = await adal(
          ['train', '--epochs', '1', ...way, '--out', `way${index}`],
          cwd,
        );
        expect(code).toBe(0);
        return readRun(join(cwd, `way${index}`));
      }),
    );
    expect(runs.map(({ info }) => [info.backend, info.threads])).toEqual([
      ['simd', 1],
      ['threads', 2],
      ['threads', 3],
      ['oracle', 1],
    ]);
    expect(new Set(runs.map(({ parameterHash }) => parameterHash)).size).toBe(1);
  });

  test('takes a new folder each time, and none that holds a run', async () => {
    const args = ['train', '--epochs', '1', '--model', 'softmax', '--seed', '7'];
    for (const suffix of ['', '-2', '-3']) {
      await adal(args, cwd);
      expect(readRun(join(cwd, `runs/digits-adal-restated-seed7${suffix}`)).model.title).toBe(
        '64-10',
      );
    }
    const { code, stderr } = await adal([...args, '--out', 'runs/digits-adal-restated-seed7'], cwd);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'adal: runs/digits-adal-restated-seed7: already contains a run (run.json): choose ' +
        'another --out',
    );
  });

  test('shares runs/ with others that begin at the same moment', async () => {
    const place = join(cwd, 'shared');
    mkdirSync(place);
    const args = ['train', '--epochs', '1', '--model', 'softmax'];
    const results = await Promise.all([1, 2, 3, 4].map(() => adal(args, place)));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(readdirSync(join(place, 'runs'))).toHaveLength(4);
  });

  test('takes all sizes of a model, and a learning rate', async () => {
    const { code } = await adal(
      ['train', '--epochs', '1', '--model', '64-16-8-10', '--lr', '1e-3', '--out', 'sizes'],
      cwd,
    );
    expect(code).toBe(0);
    expect(readRun(join(cwd, 'sizes'))).toMatchObject({
      model: { title: '64-16-8-10' },
      options: { lr: 1e-3 },
    });
  });

  test('skips steps without finite gradients, says so, and keeps NaN out of run.json', async () => {
    const { code, stderr } = await adal(
      ['train', '--epochs', '1', '--lr', '1e12', '--out', 'wild'],
      cwd,
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/adal: warning: \d+ of 43 steps were skipped/);
    const run = readRun(join(cwd, 'wild'));
    expect(run.result.skippedSteps).toBeGreaterThan(0);
    expect(run.result.trainLoss).toBeNull();
  });
});

/** As soon as there is progress. */
const CTRL_C: Ending = { signal: 'SIGINT', when: (stderr) => /^epoch/m.test(stderr) };

describe('Ctrl-C', () => {
  const cwd = temporaryFolder();

  test('ends training, keeps what was learnt, and exits with 130', async () => {
    const { code, stdout, stderr } = await adal(
      ['train', '--epochs', '100000', '--out', 'run'],
      cwd,
      CTRL_C,
    );
    expect(code).toBe(130);
    expect(stdout).toMatch(/^epochs +\d+ of 100000 \(stopped\)$/m);
    expect(stderr).toMatch(/adal: stopped by Ctrl-C after [\d,]+ steps/);
    const run = readRun(join(cwd, 'run'));
    expect(run.result.aborted).toBe(true);
    expect(run.result.steps).toBeGreaterThan(0);
    expect(run.parameterHash).toBe(hashOfWeights(join(cwd, 'run')));
  });
});

describe('csv data', () => {
  const cwd = temporaryFolder();
  const rows = Array.from({ length: 120 }, (_, i) => {
    const kind = ['setosa', 'virginica', 'versicolor'][i % 3];
    return `${1000 * (i % 3) + (i % 7)},${(i % 5) / 1000},${kind}`;
  });
  writeFileSync(join(cwd, 'flowers.csv'), `length,width,kind\n${rows.join('\n')}\n`);

  test('is standardised, and learnt', async () => {
    const args = [
      'train',
      '--data',
      'csv:flowers.csv',
      '--target',
      'kind',
      '--model',
      'mlp:8',
      '--preset',
      'practical',
    ];
    const { code, stderr } = await adal(
      [...args, '--test-fraction', '0.5', '--batch-size', '4'],
      cwd,
    );
    expect([code, stderr]).toEqual([0, expect.stringMatching(/60 training and 60 test examples/)]);
    const run = readRun(join(cwd, 'runs/flowers-adal-practical-seed1'));
    expect(run.data).toMatchObject({
      name: 'flowers',
      classCount: 3,
      classNames: ['setosa', 'versicolor', 'virginica'],
    });
    expect(run.data.standardized.mean[0]).toBeGreaterThan(500);
    expect(run.data.standardized.scale).toHaveLength(2);
    expect(run.options).toMatchObject({
      data: 'csv:flowers.csv',
      target: 'kind',
      testFraction: 0.5,
      model: 'mlp:8',
    });
    expect(run.result.testAccuracy).toBe(1);
  });

  test('takes the target by index', async () => {
    const { code } = await adal(
      ['train', '--data', 'csv:flowers.csv', '--target', '-1', '--epochs', '1', '--out', 'index'],
      cwd,
    );
    expect(code).toBe(0);
    expect(readRun(join(cwd, 'index')).model.title).toBe('2-64-3');
  });

  test('that is broken is an error naming file, line and column', async () => {
    writeFileSync(join(cwd, 'broken.csv'), 'a,b\n1,x\n?,y\n');
    const { code, stderr } = await adal(
      ['train', '--data', 'csv:broken.csv', '--target', 'b'],
      cwd,
    );
    expect(code).toBe(1);
    expect(stderr).toBe('adal: broken.csv, line 3, column 1 ("a"): expected a value, got "?"\n');
    expect(existsSync(join(cwd, 'runs/broken-adal-restated-seed1'))).toBe(false);
  });
});

describe('idx data', () => {
  const cwd = temporaryFolder();

  /** Images of 2 × 2 pixels whose class is the brightest pixel. */
  function writeIdx(folder: string, compress: boolean): void {
    mkdirSync(join(cwd, folder));
    for (const [part, count] of [
      ['train', 64],
      ['t10k', 16],
    ] as const) {
      const header = (rank: number, ...sizes: number[]) => [
        0,
        0,
        8,
        rank,
        ...sizes.flatMap((size) => [0, 0, 0, size]),
      ];
      const labels = Array.from({ length: count }, (_, i) => i % 4);
      const pixels = labels.flatMap((label, i) =>
        [0, 1, 2, 3].map((pixel) => (pixel === label ? 200 + (i % 50) : i % 30)),
      );
      for (const [name, bytes] of [
        [`${part}-images-idx3-ubyte`, [...header(3, count, 2, 2), ...pixels]],
        [`${part}-labels-idx1-ubyte`, [...header(1, count), ...labels]],
      ] as const) {
        const data = Uint8Array.from(bytes);
        writeFileSync(
          join(cwd, folder, compress ? `${name}.gz` : name),
          compress ? gzipSync(data) : data,
        );
      }
    }
  }

  test('is read plain and compressed, with the same result', async () => {
    writeIdx('plain', false);
    writeIdx('packed', true);
    const args = ['--model', '4-8-4', '--preset', 'practical', '--batch-size', '8'];
    const results = await Promise.all(
      ['plain', 'packed'].map((name) => adal(['train', '--data', `idx:${name}/`, ...args], cwd)),
    );
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    const runs = ['plain', 'packed'].map((name) =>
      readRun(join(cwd, `runs/${name}-adal-practical-seed1`)),
    );
    expect(runs[0].parameterHash).toBe(runs[1].parameterHash);
    expect(runs[0]).toMatchObject({
      data: { trainCount: 64, testCount: 16, classCount: 4, standardized: null },
    });
    expect(runs[0].result.testAccuracy).toBe(1);
  });
});

describe('what is wrong is said in one line', () => {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'empty'));
  writeFileSync(join(cwd, 'file'), '');

  test.each<[string, number, string]>([
    [
      '--data mnist',
      2,
      '--data expected digits, idx:<folder>, csv:<file> or text:<file>, got "mnist"',
    ],
    ['--data idx:missing', 1, 'missing: no such file or folder'],
    [
      '--data idx:empty',
      1,
      'empty/train-images-idx3-ubyte: no such file, and no empty/train-images-idx3-ubyte.gz',
    ],
    ['--data idx:file', 1, 'file: expected a folder of idx files, got a file'],
    ['--data csv:missing.csv --target a', 1, 'missing.csv: no such file or folder'],
    ['--data csv:empty --target a', 1, 'empty: expected a csv file, got a folder'],
    [
      '--data csv:a.csv',
      2,
      '--target expected the name or index of the target column with --data csv:<file>, got ' +
        'nothing',
    ],
    ['--target a', 2, '--target expected --data csv:<file>, got --data digits'],
    [
      '--data idx:empty --test-fraction 0.5',
      2,
      '--test-fraction expected digits, csv or text data (an idx folder has its own test set)',
    ],
    ['--test-fraction 1', 2, '--test-fraction expected a number in (0, 1), got "1"'],
    [
      '--test-fraction 0.0001',
      2,
      '--test-fraction expected a fraction that leaves examples on both sides of a split of 1797',
    ],
    ['--epochs 0', 2, '--epochs expected an integer in [1, 2147483647], got "0"'],
    ['--epochs 1.5', 2, '--epochs expected an integer in [1, 2147483647], got "1.5"'],
    ['--batch-size x', 2, '--batch-size expected an integer in [1, 16777216], got "x"'],
    ['--seed -1', 2, '--seed expected an integer in [0, 9007199254740991], got "-1"'],
    ['--lr nan', 2, '--lr expected a number in [0, ∞), got "nan"'],
    ['--threads 65', 2, '--threads expected auto or an integer in [1, 64], got "65"'],
    ['--threads 2 --backend simd', 2, "--threads expected 1 or 'auto' with backend 'simd', got 2"],
    ['--backend gpu', 2, '--backend expected auto, simd, threads or oracle, got "gpu"'],
    ['--optimizer adam --preset practical', 2, '--preset expected restated with --optimizer adam'],
    ['--schedule cosine', 2, '--lr expected a learning rate with --schedule'],
    ['--schedule sine --lr 1', 2, '--schedule expected constant'],
    ['--optimizer madam', 2, '--optimizer expected adal'],
    ['--preset best', 2, '--preset expected restated or practical, got "best"'],
    [
      '--model mlp:',
      2,
      '--model expected mlp, mlp:<h1>-<h2>-…, softmax, cnn, charlm, <file>.json, or all sizes ' +
        'as in 64-64-10, got "mlp:"',
    ],
    [
      '--model 10',
      2,
      '--model expected mlp, mlp:<h1>-<h2>-…, softmax, cnn, charlm, <file>.json, or all sizes ' +
        'as in 64-64-10, got "10"',
    ],
    ['--model 63-10', 2, '--model expected 64 inputs and 10 classes, as in digits, got 63 and 10'],
    ['--out file', 1, 'file: expected a folder, got a file'],
    ['--unknown', 2, "unknown option '--unknown'"],
    ['extra', 2, "too many arguments for 'train'"],
  ])('train %s', async (args, exitCode, message) => {
    await expectRefusal(['train', ...args.split(' ')], cwd, exitCode, message);
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });
});
