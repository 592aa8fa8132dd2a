/** `adal inspect`: checkpoints, weights and safetensors files of other programs. */
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeCheckpoint, encodeSafetensors } from '../../src/checkpoint';
import { AdamW, createRuntime } from '../../src/index';
import { cosine } from '../../src/schedules';
import { assemble, bytesOf } from '../support/safetensors-files';
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
    expect(rowOf(stdout, 'layer.2')).toEqual([
      'layer.2',
      'F64',
      'scalar',
      '1e+200',
      '1e+200',
      '1e+200',
    ]);
    expect(rowOf(stdout, 'half')).toEqual(['half', 'F16', '3', '2', '1.414', '1']);
    expect(rowOf(stdout, 'brain')).toEqual(['brain', 'BF16', '2', '3', '2.236', '2']);
    expect(rowOf(stdout, 'ids')).toEqual(['ids', 'I64', '2', '17', '13', '12']);
    expect(rowOf(stdout, 'bytes')).toEqual(['bytes', 'U8', '3', '455', '324.1', '255']);
    expect(rowOf(stdout, 'none')).toEqual(['none', 'F32', '0 × 4', '0', '0', '0']);
    expect(stdout.indexOf('layer.2')).toBeLessThan(stdout.indexOf('layer.10'));
  });

  type Tensor = readonly [name: string, dtype: string, shape: number[], data: ArrayBufferView];

  /** A file of tensors of any types, one after another. */
  const fileOf = (tensors: readonly Tensor[]) => {
    let end = 0;
    const entries = tensors.map(([name, dtype, shape, { byteLength }]) => {
      return [name, { dtype, shape, data_offsets: [end, (end += byteLength)] }];
    });
    const data = Buffer.concat(tensors.map(([, , , array]) => bytesOf(array)));
    return assemble(JSON.stringify(Object.fromEntries(entries)), data);
  };

  const TYPES: [string, ArrayBufferView, string[]][] = [
    ['BOOL', Uint8Array.of(0, 1, 1, 0), ['2', '1.414', '1']],
    ['I8', Int8Array.of(-128, 127, 0, 1), ['256', '180.3', '128']],
    ['I16', Int16Array.of(-3, 4, 0, 0), ['7', '5', '4']],
    ['U16', Uint16Array.of(3, 4, 0, 0), ['7', '5', '4']],
    ['I32', Int32Array.of(-(2 ** 31), 0, 0, 0), ['2147000000', '2147000000', '2147000000']],
    ['U32', Uint32Array.of(2 ** 31, 0, 0, 0), ['2147000000', '2147000000', '2147000000']],
    ['U64', BigUint64Array.of(3n, 4n, 0n, 0n), ['7', '5', '4']],
    ['F8_E4M3', Uint8Array.of(0x38, 0xbc, 0x01, 0x7e), ['450.5', '448', '448']],
    ['F8_E5M2', Uint8Array.of(0x3c, 0xc0, 0x01, 0x00), ['3', '2.236', '2']],
    ['F8_E4M3FNUZ', Uint8Array.of(0x40, 0xc8, 0x00, 0x00), ['3', '2.236', '2']],
    ['F8_E5M2FNUZ', Uint8Array.of(0x40, 0xc4, 0x00, 0x00), ['3', '2.236', '2']],
    ['F8_E8M0', Uint8Array.of(127, 128, 126, 127), ['4.5', '2.5', '2']],
    ['F6_E2M3', new Uint8Array(3), ['–', '–', '–']],
    ['NEW_TYPE', new Uint8Array(4), ['–', '–', '–']],
  ];
  const CODES: [string, number, number][] = [
    ['F8_E4M3', 0x7f, 1],
    ['F8_E4M3', 0x7e, 0],
    ['F8_E5M2', 0x7c, 1],
    ['F8_E5M2', 0x7b, 0],
    ['F8_E4M3FNUZ', 0x80, 1],
    ['F8_E8M0', 0xff, 1],
  ];

  describe('of every type', () => {
    let stdout: string;
    beforeAll(async () => {
      const tensors: Tensor[] = TYPES.map(([dtype, data]) => [`of-${dtype}`, dtype, [4], data]);
      for (const [dtype, code] of CODES)
        tensors.push([`${dtype}-${code}`, dtype, [2], Uint8Array.of(code, 0x10)]);
      put('types', fileOf(tensors));
      stdout = await show('types');
    });

    test.each(TYPES)('shows %s', (dtype, _, norms) => {
      const name = `of-${dtype}`;
      expect(rowOf(stdout, name)).toEqual([name, dtype, '4', ...norms]);
    });

    test.each(CODES)('knows what is no number: %s %d', (dtype, code, count) => {
      const line = `${dtype}-${code}: 1 of 2 elements not finite`;
      expect(stdout.split('\n').filter((each) => each === line)).toHaveLength(count);
    });
  });

  test('of more than 2 GiB, which no buffer holds, is read piece by piece to its end', async () => {
    const size = 2 ** 31 + 4096;
    const header = { t: { dtype: 'F64', shape: [size / 8], data_offsets: [0, size] } };
    const start = assemble(JSON.stringify(header));
    put('large', start);
    // A hole takes no space on most file systems.
    const file = openSync(join(cwd, 'large'), 'r+');
    writeSync(file, new Float64Array([-3, 4]), 0, 16, start.length + size - 16);
    closeSync(file);
    const stdout = await show('large');
    expect(stdout).toMatch(/^large: 1 tensor, 268,435,968 elements, 2 GiB$/m);
    expect(rowOf(stdout, 't')).toEqual(['t', 'F64', '268435968', '7', '5', '4']);
    rmSync(join(cwd, 'large'));
  });

  test('of many tensors and much metadata is listed', async () => {
    const entries = Array.from({ length: 20_000 }, (_, i) => ({
      name: `layer.${i}`,
      shape: [0],
      data: new Uint8Array(0),
    }));
    put(
      'many',
      encodeSafetensors(
        entries,
        Object.fromEntries(Array.from({ length: 130_000 }, (_, i) => [`k${i}`, 'v'])),
      ),
    );
    const lines = (await show('many')).split('\n');
    expect(lines.filter((line) => /^layer\.\d+ /.test(line))).toHaveLength(20_000);
    expect(lines.filter((line) => /^k\d+ +v$/.test(line))).toHaveLength(130_000);
  });

  test('tells what is not finite, and lets no name steer the terminal', async () => {
    const name = 'w\u001b[31m';
    put(
      'odd.safetensors',
      encodeSafetensors([
        { name, shape: [3], data: Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY) },
      ]),
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
      optimizer.step({
        'body.weight': new Float32Array(6).fill(1),
        'head.bias': new Float32Array(4),
      });
    put('adamw.safetensors', encodeCheckpoint(optimizer.stateDict(), { epoch: 7, note: 'mine' }));
    runtime.dispose();
  });

  test('tells the optimizer, its steps, hyperparameters, schedule and extras', async () => {
    const stdout = await show('adamw.safetensors');
    expect(stdout).toMatch(/^optimizer +adamw after 3 steps$/m);
    expect(stdout).toMatch(/^parameters +10 in 2 tensors$/m);
    expect(stdout).toMatch(/^epoch +7$/m);
    expect(stdout).toMatch(/^note +mine$/m);
    expect(rowOf(stdout, 'body.weight.exp_avg')?.slice(0, 3)).toEqual([
      'body.weight.exp_avg',
      'F32',
      '2 × 3',
    ]);
    const [head] = stdout.split('\n').filter((line) => line.startsWith('group '));
    expect(head.split(/ {2,}/)).toEqual(
      expect.arrayContaining(['group', 'tensors', 'lr', 'betas', 'eps', 'weightDecay']),
    );
    expect(rowOf(stdout, '0')?.slice(0, 3)).toEqual(['0', '1', 'scheduled']);
    expect(rowOf(stdout, '1')?.slice(0, 3)).toEqual(['1', '1', '0.25']);
    expect(stdout).toContain('lr of group 0: name cosine, lr 0.01, totalSteps 50');
  });

  test('of adal train tells its settings', async () => {
    const train = ['train', '--epochs', '1', '--model', 'mlp:8', '--out', 'run'];
    expect((await adal(train, cwd)).code).toBe(0);
    const stdout = await show('run/checkpoint.safetensors');
    expect(stdout).toMatch(/^optimizer +adal after 43 steps$/m);
    expect(stdout.replace(/\s+/g, ' ')).toContain('data digits, model mlp:8');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

test.each([
  ['missing.safetensors', 'missing.safetensors: no such file or folder'],
  ['.', '.: expected a safetensors file, got a folder'],
  ['empty', 'empty: safetensors file expected at least 8 bytes, got 0'],
  ['text', 'text: safetensors header'],
  ['cut', 'cut: safetensors tensor "w": data_offsets expected to end by'],
])('%s is refused in one line', async (name, message) => {
  put('empty', '');
  put('text', 'these are no tensors, but more than eight bytes of text');
  put(
    'cut',
    encodeSafetensors([{ name: 'w', shape: [9], data: new Float32Array(9) }]).subarray(0, -1),
  );
  await expectRefusal(['inspect', name], cwd, 1, message);
});

test('without a file is wrong use', async () => {
  const { code, stderr } = await adal(['inspect'], cwd);
  expect([code, stderr]).toEqual([2, "adal: missing required argument 'file'\n"]);
});
