/**
 * What is left of `adal train` when a process, a disk or a file fails: the run ends with the same
 * bits, or says why not.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/checkpoint';
import { adal, expectRefusal, readRun, temporaryFolder } from './cli';

const cwd = temporaryFolder();
const TRAIN = ['train', '--epochs', '3', '--model', 'mlp:16', '--seed', '4'];
const FILES = ['checkpoint.safetensors', 'curves.svg', 'run.json', 'weights.safetensors'];
let hash: string;

beforeAll(async () => {
  expect((await adal([...TRAIN, '--out', 'whole'], cwd)).code).toBe(0);
  hash = readRun(join(cwd, 'whole')).parameterHash;
});

/** A copy of the finished run. */
function copyOfRun(name: string): string {
  cpSync(join(cwd, 'whole'), join(cwd, name), { recursive: true });
  return join(cwd, name);
}

describe('a process that ended after the last epoch', () => {
  test.each([
    ['before any result', ['weights.safetensors', 'curves.svg', 'run.json']],
    ['after the weights', ['curves.svg', 'run.json']],
    ['after the curves', ['run.json']],
  ])('%s: --resume writes what is missing', async (name, missing) => {
    const folder = copyOfRun(name.replaceAll(' ', '-'));
    for (const file of missing) rmSync(join(folder, file));
    const { code, stderr } = await adal(['train', '--resume', folder], cwd);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('after 3 epochs; all epochs are done, only the results are missing'),
    ]);
    expect(readdirSync(folder).sort()).toEqual(FILES);
    const [run, whole] = [readRun(folder), readRun(join(cwd, 'whole'))];
    expect(run.parameterHash).toBe(hash);
    expect(run.epochs).toEqual(whole.epochs);
    expect(readFileSync(join(folder, 'weights.safetensors'))).toEqual(
      readFileSync(join(cwd, 'whole/weights.safetensors')),
    );
  });

  test('of a run longer than its results: --resume writes those of the longer run', async () => {
    const folder = copyOfRun('longer');
    expect((await adal(['train', '--resume', 'longer', '--epochs', '4'], cwd)).code).toBe(0);
    const { parameterHash } = readRun(folder);
    // The new checkpoint was written, the new results were not.
    for (const file of ['weights.safetensors', 'run.json'])
      copyFileSync(join(cwd, 'whole', file), join(folder, file));
    expect((await adal(['train', '--resume', 'longer'], cwd)).code).toBe(0);
    expect(readRun(folder).parameterHash).toBe(parameterHash);
  });

  test('with all its results has nothing left to do', async () => {
    const message =
      '--epochs expected more than the 3 that whole/checkpoint.safetensors has completed, got 3';
    await expectRefusal(['train', '--resume', 'whole'], cwd, 2, message);
  });

  test('goes on in another folder, which holds a checkpoint from the beginning', async () => {
    const { code } = await adal(['train', '--resume', 'whole', '--out', 'elsewhere'], cwd);
    expect(code).toBe(0);
    expect(readdirSync(join(cwd, 'elsewhere')).sort()).toEqual(FILES);
    expect(readRun(join(cwd, 'elsewhere')).parameterHash).toBe(hash);
  });
});

describe('files that are replaced', () => {
  test.skipIf(process.platform === 'win32')(
    'keep their mode, and are found through links',
    async () => {
      const folder = copyOfRun('modes');
      chmodSync(join(folder, 'run.json'), 0o640);
      mkdirSync(join(cwd, 'store'));
      renameSync(join(folder, 'weights.safetensors'), join(cwd, 'store/weights.safetensors'));
      symlinkSync('../store/weights.safetensors', join(folder, 'weights.safetensors'));
      expect((await adal(['train', '--resume', 'modes', '--epochs', '4'], cwd)).code).toBe(0);
      expect(statSync(join(folder, 'run.json')).mode & 0o777).toBe(0o640);
      expect(lstatSync(join(folder, 'weights.safetensors')).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(cwd, 'store/weights.safetensors'))).not.toEqual(
        readFileSync(join(cwd, 'whole/weights.safetensors')),
      );
    },
  );
});

describe.skipIf(process.platform === 'win32')('a disk without room', () => {
  /** Runs with a limit on the size of files. */
  const limited = (kib: number, args: readonly string[]) =>
    spawnSync(
      'bash',
      [
        '-c',
        `ulimit -f ${kib}; exec "$0" "$@"`,
        process.execPath,
        resolve(import.meta.dirname, '../../dist/cli.js'),
        ...args,
      ],
      { cwd, encoding: 'utf8' },
    );

  test('for checkpoints: a warning at the first, and the results are written', () => {
    const { status, stdout, stderr } = limited(40, ['train', '--epochs', '3', '--out', 'full']);
    expect(status).toBe(1);
    expect(stderr).toContain(
      'adal: warning: cannot write the checkpoint full/checkpoint.safetensors (the file would ' +
        'be larger',
    );
    expect(stderr).toMatch(
      /^adal: full\/checkpoint\.safetensors: cannot be written: .*; the results were written$/m,
    );
    expect(stdout).toMatch(/^hash +[0-9a-f]{64}$/m);
    expect(readdirSync(join(cwd, 'full')).sort()).toEqual([
      'curves.svg',
      'run.json',
      'weights.safetensors',
    ]);
  });

  test('for the weights: says where everything is, and --resume writes them', async () => {
    const folder = copyOfRun('tight');
    for (const file of ['weights.safetensors', 'run.json']) rmSync(join(folder, file));
    const { status, stderr } = limited(2, ['train', '--resume', 'tight']);
    expect(status).toBe(1);
    expect(stderr).toContain(
      'adal: tight/weights.safetensors: cannot be written: the file would be larger',
    );
    expect(stderr).toContain(
      'all progress is in tight/checkpoint.safetensors: free some space, then --resume tight ' +
        'writes the',
    );
    expect((await adal(['train', '--resume', 'tight'], cwd)).code).toBe(0);
    expect(readRun(folder).parameterHash).toBe(hash);
  });
});

describe('a checkpoint that is damaged', () => {
  test('anywhere is a named error, never another run', async () => {
    const file = readFileSync(join(cwd, 'whole/checkpoint.safetensors'));
    const length = Number(file.readBigUInt64LE(0));
    const places = [8 + length + 3, 8 + length + 700, file.length - 1, 30, 8 + length - 40];
    for (const place of places) {
      const damaged = Buffer.from(file);
      damaged[place] ^= 0x10;
      writeFileSync(join(cwd, 'damaged.safetensors'), damaged);
      const { code, stdout, stderr } = await adal(
        ['train', '--resume', 'damaged.safetensors', '--epochs', '4'],
        cwd,
      );
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^adal: damaged\.safetensors: .+\n$/);
      expect(stderr).not.toContain('internal error');
    }
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });

  test.each<[string, (extras: Record<string, never>) => void, string]>([
    [
      'identity',
      ({ run }) => Reflect.deleteProperty(run, 'identity'),
      '"extras.run.identity" expected an object',
    ],
    [
      'epochs',
      ({ run }) => Object.assign(run, { epochs: 5 }),
      '"extras.run.epochs" expected an array, got 5',
    ],
    [
      'one',
      ({ run }) => Object.assign(run, { epochs: [null] }),
      '"extras.run.epochs[0]" expected an object',
    ],
    [
      'fewer',
      ({ run }) => Object.assign(run, { epochs: [] }),
      '"extras.run.epochs" expected every epoch before epoch 4',
    ],
    [
      'model',
      ({ model }) => Object.assign(model, { arrays: 7 }),
      '"extras.model.arrays" expected an object',
    ],
    [
      'lr',
      ({ train }) => Object.assign((train as { settings: object }).settings, { lr: 5 }),
      '"extras.train.settings.lr" expected text',
    ],
    [
      'names',
      ({ train }) => Object.assign(train, { classNames: [1] }),
      '"extras.train.classNames" expected an array of names',
    ],
  ])('in its record (%s) is refused by its field', async (name, change, message) => {
    const { stateDict, extras } = decodeCheckpoint(
      readFileSync(join(cwd, 'whole/checkpoint.safetensors')),
    );
    change(extras as never);
    writeFileSync(join(cwd, `${name}.safetensors`), encodeCheckpoint(stateDict, extras));
    const { code, stderr } = await adal(
      ['train', '--resume', `${name}.safetensors`, '--epochs', '4'],
      cwd,
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(stderr.startsWith(`adal: ${name}.safetensors: `) ? '' : stderr).toBe('');
  });
});

describe('a file that is too large', () => {
  test.each([
    [
      'train --data csv:large --target 0',
      'large: expected a csv file (at most 512 MiB), got 3 GiB',
    ],
    [
      'train --data text:large',
      'large: expected a text of at most 16,777,216 characters (at most 64 MiB), got 3 GiB',
    ],
    ['train --model large.json', 'large.json: expected a JSON model (at most 1 MiB), got 3 GiB'],
    ['inspect large', "large: safetensors header expected to begin with '{', got nothing"],
  ])('%s', async (args, message) => {
    for (const name of ['large', 'large.json']) {
      writeFileSync(join(cwd, name), '');
      truncateSync(join(cwd, name), 3 * 2 ** 30);
    }
    await expectRefusal(args.split(' '), cwd, 1, message);
  });
});
