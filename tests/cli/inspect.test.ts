/** `adal inspect`: checkpoints, weights and safetensors files of other programs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeCheckpoint, encodeSafetensors } from '../../src/checkpoint';
import { AdamW, createRuntime } from '../../src/index';
import { cosine } from '../../src/schedules';
import { adal, expectRefusal, temporaryFolder } from './cli';

const cwd = temporaryFolder();
const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(cwd, name), bytes);

async function show(name: string): Promise<string> {
  const { code, stdout, stderr } = await adal(['inspect', name], cwd);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** The cells of the row that begins with `name`. */
const rowOf = (stdout: string, name: string) =>
  stdout
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.split(/ {2,}/);

describe('a safetensors file', () => {
  test('of any program: names, types, shapes, norms, metadata', async () => {
    const entries = [
      { name: 'layer.10', shape: [2, 2], data: Float32Array.of(3, -4, 0, 0) },
      { name: 'layer.2', shape: [], data: Float64Array.of(-1e200) },
      { name: 'half', shape: [3], dtype: 'F16', data: Uint16Array.of(0x3c00, 0xbc00, 0) },
      { name: 'brain', shape: [2], dtype: 'BF16', data: Uint16Array.of(0x3f80, 0x4000) },
      { name: 'ids', shape: [2], data: BigInt64Array.of(5n, -12n) },
      { name: 'bytes', shape: [3], data: Uint8Array.of(0, 200, 255) },
      { name: 'none', shape: [0, 4], data: new Float32Array() },
    ] as Parameters<typeof encodeSafetensors>[0];
    put('any.safetensors', encodeSafetensors(entries, { author: 'somebody' }));
    const stdout = await show('any.safetensors');
    expect(stdout).toMatch(/^any\.safetensors: 7 tensors, 15 elements, /);
    expect(stdout).toMatch(/^author {2}somebody$/m);
    expect(rowOf(stdout, 'layer.10')).toEqual(['layer.10', 'F32', '2 × 2', '7', '5', '4']);
    expect(rowOf(stdout, 'layer.2')).toEqual(['layer.2', 'F64', 'scalar', '1e+200', '1e+200', '1e+200']);
    expect(rowOf(stdout, 'half')).toEqual(['half', 'F16', '3', '2', '1.414', '1']);
    expect(rowOf(stdout, 'brain')).toEqual(['brain', 'BF16', '2', '3', '2.236', '2']);
    expect(rowOf(stdout, 'ids')).toEqual(['ids', 'I64', '2', '17', '13', '12']);
    expect(rowOf(stdout, 'bytes')).toEqual(['bytes', 'U8', '3', '455', '324.1', '255']);
    expect(rowOf(stdout, 'none')).toEqual(['none', 'F32', '0 × 4', '0', '0', '0']);
    expect(stdout.indexOf('layer.2')).toBeLessThan(stdout.indexOf('layer.10'));
  });

  test('tells what is not finite, and lets no name steer the terminal', async () => {
    const name = 'w\u001b[31m';
    put(
      'odd.safetensors',
      encodeSafetensors([{ name, shape: [3], data: Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY) }]),
    );
    const stdout = await show('odd.safetensors');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('w\\u{1b}[31m: 2 of 3 elements not finite');
  });
});

describe('a checkpoint', () => {
  beforeAll(async () => {
    const runtime = await createRuntime({ backend: 'simd' });
    const lr = cosine({ lr: 0.01, totalSteps: 50 });
    const [body, head] = [{ 'body.weight': { shape: [2, 3] } }, { 'head.bias': { shape: [4] } }];
    const optimizer = new AdamW(
      runtime,
      [
        { params: body, weightDecay: 0.5 },
        { params: head, lr: 0.25 },
      ],
      { lr },
    );
    for (let step = 0; step < 3; step++)
      optimizer.step({ 'body.weight': new Float32Array(6).fill(1), 'head.bias': new Float32Array(4) });
    put('adamw.safetensors', encodeCheckpoint(optimizer.stateDict(), { epoch: 7, note: 'mine' }));
    runtime.dispose();
  });

  test('tells the optimizer, its steps, hyperparameters, schedule and extras', async () => {
    const stdout = await show('adamw.safetensors');
    expect(stdout).toMatch(/^optimizer +adamw after 3 steps$/m);
    expect(stdout).toMatch(/^parameters +10 in 2 tensors$/m);
    expect(stdout).toMatch(/^epoch +7$/m);
    expect(stdout).toMatch(/^note +mine$/m);
    expect(rowOf(stdout, 'body.weight.exp_avg')?.slice(0, 3)).toEqual(['body.weight.exp_avg', 'F32', '2 × 3']);
    const [head] = stdout.split('\n').filter((line) => line.startsWith('group '));
    expect(head.split(/ {2,}/)).toEqual(expect.arrayContaining(['group', 'tensors', 'lr', 'betas', 'eps', 'weightDecay']));
    expect(rowOf(stdout, '0')?.slice(0, 3)).toEqual(['0', '1', 'scheduled']);
    expect(rowOf(stdout, '1')?.slice(0, 3)).toEqual(['1', '1', '0.25']);
    expect(stdout).toContain('lr of group 0: name cosine, lr 0.01, totalSteps 50');
  });

  test('of adal train tells its settings', async () => {
    await adal(['train', '--epochs', '1', '--model', 'mlp:8', '--out', 'run'], cwd);
    const stdout = await show('run/checkpoint.safetensors');
    expect(stdout).toMatch(/^optimizer +adal after 43 steps$/m);
    expect(stdout.replace(/\s+/g, ' ')).toContain('data digits, model mlp:8');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

test.each([
  ['missing.safetensors', 'missing.safetensors: no such file or folder'],
  ['.', '.: expected a safetensors file, got a folder'],
  ['empty', 'empty: '],
  ['text', 'text: '],
  ['cut', 'cut: '],
])('%s is refused in one line', async (name, message) => {
  put('empty', '');
  put('text', 'these are no tensors, but more than eight bytes of text');
  put('cut', encodeSafetensors([{ name: 'w', shape: [9], data: new Float32Array(9) }]).subarray(0, -1));
  await expectRefusal(['inspect', name], cwd, 1, message);
});

test('without a file is wrong use', async () => {
  const { code, stderr } = await adal(['inspect'], cwd);
  expect([code, stderr]).toEqual([2, "adal: missing required argument 'file'\n"]);
});
