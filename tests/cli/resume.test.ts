/**
 * `adal train --resume`: a run that was ended, by Ctrl-C or by force, ends with the bits of one
 * that was not.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/checkpoint';
import { adal, readRun, temporaryFolder } from './cli';

/** Long enough to be ended in the middle. */
const LONG = ['--epochs', '12', '--model', 'mlp:512-512', '--preset', 'practical', '--seed', '5'];

/** Returns the epoch in which a checkpoint continues, from 1 on, and its completed batches. */
function progressOf(folder: string): { epoch: number; batch: number } {
  const { extras } = decodeCheckpoint(readFileSync(join(folder, 'checkpoint.safetensors')));
  return extras.run as { epoch: number; batch: number };
}

describe('a run that was ended', () => {
  const cwd = temporaryFolder();
  const whole = adal(['train', ...LONG, '--out', 'whole'], cwd);

  test('by SIGKILL resumes from its last checkpoint, on another number of threads', async () => {
    expect((await whole).code).toBe(0);
    const checkpoint = join(cwd, 'killed/checkpoint.safetensors');
    const killed = await adal(['train', ...LONG, '--out', 'killed'], cwd, {
      signal: 'SIGKILL',
      when: () => existsSync(checkpoint),
    });
    expect(killed.code).toBeNull();
    expect(existsSync(join(cwd, 'killed/run.json'))).toBe(false);
    const { epoch } = progressOf(join(cwd, 'killed'));
    expect(epoch).toBeLessThanOrEqual(12);
    const done = epoch - 1;
    const { code, stderr } = await adal(['train', '--resume', 'killed', '--threads', '2'], cwd);
    expect(code).toBe(0);
    expect(stderr).toContain(`Resuming from killed/checkpoint.safetensors after ${done} epoch`);
    const [resumed, uninterrupted] = [readRun(join(cwd, 'killed')), readRun(join(cwd, 'whole'))];
    expect(resumed.parameterHash).toBe(uninterrupted.parameterHash);
    expect(resumed.epochs).toEqual(uninterrupted.epochs);
    expect(resumed.options).toMatchObject({
      model: 'mlp:512-512',
      preset: 'practical',
      epochs: 12,
      seed: 5,
    });
    expect(readdirSync(join(cwd, 'killed')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('by Ctrl-C, twice, goes on in mid-epoch', async () => {
    const first = await adal(['train', ...LONG, '--out', 'stopped'], cwd, {
      signal: 'SIGINT',
      when: (stderr) => /^epoch/m.test(stderr),
    });
    expect([first.code, first.stderr]).toEqual([
      130,
      expect.stringContaining('--resume stopped continues the run'),
    ]);
    expect(readRun(join(cwd, 'stopped')).result.aborted).toBe(true);
    const resume = ['train', '--resume', 'stopped'];
    const second = await adal(resume, cwd, {
      signal: 'SIGINT',
      when: (stderr) => /^epoch/m.test(stderr),
    });
    expect(second.code).toBe(130);
    expect((await adal(resume, cwd)).code).toBe(0);
    const run = readRun(join(cwd, 'stopped'));
    expect(run.parameterHash).toBe(readRun(join(cwd, 'whole')).parameterHash);
    expect(run.result).toMatchObject({ aborted: false, steps: 12 * 43 });
  });

  test('goes on from a checkpoint alone, in a folder of its own', async () => {
    await adal(['train', '--epochs', '2', '--seed', '9', '--out', 'four'], cwd);
    renameSync(join(cwd, 'four/checkpoint.safetensors'), join(cwd, 'kept.safetensors'));
    const { code } = await adal(
      ['train', '--resume', 'kept.safetensors', '--epochs', '4', '--out', 'five'],
      cwd,
    );
    expect(code).toBe(0);
    await adal(['train', '--epochs', '4', '--seed', '9', '--out', 'six'], cwd);
    expect(readRun(join(cwd, 'five')).parameterHash).toBe(readRun(join(cwd, 'six')).parameterHash);
  });
});

describe('--resume', () => {
  const cwd = temporaryFolder();
  const csv = (power: number) => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i ** power},${i % 2 ? 'x' : 'y'}\n`);
    return `a,b\n${rows.join('')}`;
  };
  writeFileSync(join(cwd, 'table.csv'), csv(1));
  const prepared = adal(
    [
      'train',
      '--data',
      'csv:table.csv',
      '--target',
      'b',
      '--epochs',
      '2',
      '--schedule',
      'cosine',
      '--lr',
      '0.01',
      '--out',
      'run',
    ],
    cwd,
  );

  test('takes more epochs, and says what they change', async () => {
    expect((await prepared).code).toBe(0);
    const { code, stderr } = await adal(
      ['train', '--resume', 'run', '--epochs', '3', '--out', 'longer'],
      cwd,
    );
    expect(code).toBe(0);
    expect(stderr).toContain('adal: note: the schedule now covers 3 epochs instead of 2');
    expect(readRun(join(cwd, 'longer')).epochs).toHaveLength(3);
  });

  test('adal resume is short for train --resume', async () => {
    expect((await prepared).code).toBe(0);
    const { code } = await adal(['resume', 'run', '--epochs', '3', '--out', 'short'], cwd);
    expect(code).toBe(0);
    expect(readRun(join(cwd, 'short')).epochs).toHaveLength(3);
    const refused = await adal(['resume', 'run', '--seed', '2'], cwd);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      'adal: --seed expected 1, as in run/checkpoint.safetensors, got 2\n',
    ]);
    const without = await adal(['resume'], cwd);
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringContaining("missing required argument 'checkpoint'"),
    ]);
  });

  test.each([
    [
      'run',
      2,
      '--epochs expected more than the 2 that run/checkpoint.safetensors has completed, got 2',
    ],
    ['run --seed 2', 2, '--seed expected 1, as in run/checkpoint.safetensors, got 2'],
    [
      'run --model mlp:8',
      2,
      '--model expected mlp:64, as in run/checkpoint.safetensors, got mlp:8',
    ],
    ['run --batch-size 8', 2, '--batch-size expected 32, as in run/checkpoint.safetensors, got 8'],
    [
      'run --epochs 5 --data csv:other.csv',
      1,
      'csv:other.csv: expected the examples on which run/checkpoint.safetensors was trained',
    ],
    ['missing', 1, 'missing: no such file or folder'],
    [
      '.',
      1,
      '.: expected a folder with a checkpoint.safetensors, got one without: if the run ended ' +
        'before its first',
    ],
    ['run/run.json', 1, 'run/run.json: '],
    ['run/weights.safetensors', 1, 'run/weights.safetensors: '],
    [
      'foreign.safetensors',
      1,
      'foreign.safetensors: expected a checkpoint written by adal train, got one of another ' +
        'program',
    ],
  ])('%s is refused where it makes no sense', async (args, exitCode, message) => {
    await prepared;
    writeFileSync(join(cwd, 'other.csv'), csv(2));
    const { stateDict } = decodeCheckpoint(readFileSync(join(cwd, 'run/checkpoint.safetensors')));
    writeFileSync(join(cwd, 'foreign.safetensors'), encodeCheckpoint(stateDict));
    const before = readFileSync(join(cwd, 'run/run.json'));
    const { code, stdout, stderr } = await adal(['train', '--resume', ...args.split(' ')], cwd);
    const said = stderr
      .split('\n')
      .filter((line) => line.startsWith('adal: ') && !line.startsWith('adal: note'));
    expect([code, stdout, said.length]).toEqual([exitCode, '', 1]);
    expect(said[0]).toContain(`adal: ${message}`);
    expect(readFileSync(join(cwd, 'run/run.json'))).toEqual(before);
  });
});
