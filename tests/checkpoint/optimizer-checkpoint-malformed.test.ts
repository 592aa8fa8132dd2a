/** Each way in which a state dict or a checkpoint can be wrong: refused by name. */
import { describe, expect, it } from 'vitest';
import {
  CheckpointError,
  decodeCheckpoint,
  decodeSafetensors,
  encodeCheckpoint,
  encodeSafetensors,
} from '../../src/checkpoint';
import { ArgumentError, type StateArray, type StateDict } from '../../src/index';
import { caught } from '../support/errors';
import { dictOf } from '../support/state';

describe('what is no state dict is refused', () => {
  function spoilArray(dict: StateDict, array: StateArray, value: number): StateDict {
    (array as Float32Array)[1] = value;
    return dict;
  }

  it.each<[string, (dict: StateDict) => unknown, string]>([
    ['null', () => null, 'stateDict'],
    ['no params', (dict) => ({ ...dict, params: null }), 'stateDict.params'],
    ['no state', (dict) => ({ ...dict, state: undefined }), 'stateDict.state'],
    ['a parameter without state', (dict) => ({ ...dict, state: {} }), 'stateDict.state.w'],
    ['a state without parameter', (dict) => ({ ...dict, params: {} }), 'stateDict.params.w'],
    [
      'data of another length',
      (dict) => ({ ...dict, params: { w: { shape: [3], data: new Float32Array(2) } } }),
      'stateDict.params.w.data',
    ],
    [
      'no shape',
      (dict) => ({ ...dict, params: { w: { data: new Float32Array(2) } } }),
      'stateDict.params.w.shape',
    ],
    [
      'no arrays',
      (dict) => ({ ...dict, state: { w: { ...dict.state.w, arrays: null } } }),
      'stateDict.state.w.arrays',
    ],
    [
      'half a state',
      (dict) => ({
        ...dict,
        state: { w: { ...dict.state.w, arrays: { m: new Float32Array(2) } } },
      }),
      'stateDict.state.w.arrays.v',
    ],
    [
      "a name under which the file keeps AdaL's moments",
      (dict) => ({
        ...dict,
        state: {
          w: { ...dict.state.w, arrays: { ...dict.state.w.arrays, adal_m: new Float32Array(2) } },
        },
      }),
      'stateDict.state.w.arrays.adal_m',
    ],
    [
      'a plain array',
      (dict) => ({ ...dict, state: { w: { ...dict.state.w, arrays: { m: [1, 2] } } } }),
      'stateDict.state.w.arrays.m',
    ],
    [
      'a NaN weight',
      (dict) => spoilArray(dict, dict.params.w.data, Number.NaN),
      'stateDict.params.w.data[1]',
    ],
    [
      'a NaN moment',
      (dict) => spoilArray(dict, dict.state.w.arrays.m, Number.NaN),
      'stateDict.state.w.arrays.m[1]',
    ],
    [
      'a negative second moment',
      (dict) => spoilArray(dict, dict.state.w.arrays.v, -1),
      'stateDict.state.w.arrays.v[1]',
    ],
    [
      'half a step',
      (dict) => ({ ...dict, state: { w: { ...dict.state.w, step: 0.5 } } }),
      'stateDict.state.w.step',
    ],
    [
      'an infinite V',
      (dict) => ({ ...dict, state: { w: { ...dict.state.w, V: Infinity } } }),
      'stateDict.state.w.V',
    ],
    [
      'a lr that is a function',
      (dict) => ({ ...dict, groups: [{ ...dict.groups[0], lr: () => 1 }] }),
      'stateDict.groups[0].lr',
    ],
  ])('%s', (_, spoil, argument) => {
    const dict = dictOf('adal', [2], { m: new Float32Array(2), v: new Float32Array(2) });
    const error = caught(() => encodeCheckpoint(spoil(dict) as StateDict));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ argument });
  });
});

describe('malformed checkpoints', () => {
  const coded: StateArray = {
    dtype: '8bit',
    codes: new Uint8Array(6),
    scales: new Float32Array(1),
  };
  const adam = dictOf('adam', [2, 3], {
    exp_avg: new Float32Array(6),
    coded,
    rows: new Int16Array(2),
  });
  const adal = dictOf(
    'adal',
    [2, 3],
    { m: new Float32Array(6).fill(1), v: new Float32Array(6).fill(1) },
    -3,
  );

  type Tensors = Record<string, { dtype?: never; shape: readonly number[]; data: never }>;
  // biome-ignore lint/suspicious/noExplicitAny: the document is spoilt in every way
  type Document = any;
  const floats = (length: number, fill = 0) => ({
    shape: [length],
    data: new Float32Array(length).fill(fill) as never,
  });

  /** A checkpoint, taken apart, spoilt and put together again. */
  function spoilt(
    dict: StateDict,
    spoil: (document: Document, tensors: Tensors) => unknown,
  ): Uint8Array {
    const { tensors, metadata } = decodeSafetensors(
      encodeCheckpoint(dict, { mean: new Float32Array(2) }),
    );
    const document = JSON.parse(metadata.adal_checkpoint);
    const changed = { ...tensors } as unknown as Tensors;
    const replaced = spoil(document, changed);
    const text = typeof replaced === 'string' ? replaced : JSON.stringify(document);
    return encodeSafetensors(changed, { adal_checkpoint: text }, { checksum: true });
  }

  it('(and those that are not are read)', () => {
    expect(decodeCheckpoint(spoilt(adam, () => {})).stateDict).toEqual(adam);
    expect(decodeCheckpoint(spoilt(adal, () => {})).stateDict).toEqual(adal);
  });

  it.each<[string, StateDict, (document: Document, tensors: Tensors) => unknown, string, string]>([
    ['bad JSON', adam, () => '{', 'json', 'metadata "adal_checkpoint" expected JSON'],
    [
      'nested beyond all bounds',
      adam,
      () => '['.repeat(100_000),
      'json',
      'metadata "adal_checkpoint"',
    ],
    [
      'JSON that is no object',
      adam,
      () => '[]',
      'schema',
      'metadata "adal_checkpoint" expected an object',
    ],
    [
      'an unknown version',
      adam,
      (document) => (document.version = 2),
      'version',
      'version expected 1, the one this release reads, got 2',
    ],
    ['no version', adam, (document) => delete document.version, 'version', 'got undefined'],
    [
      'no head',
      adam,
      (document) => delete document.stateDict,
      'schema',
      'stateDict expected an object, got undefined',
    ],
    [
      'no algorithm',
      adam,
      (document) => (document.stateDict.algorithm = 3),
      'schema',
      'stateDict.algorithm expected a string, got 3',
    ],
    [
      'no groups',
      adam,
      (document) => delete document.stateDict.groups,
      'schema',
      'stateDict.groups expected an array, got undefined',
    ],
    [
      'a group that is none',
      adam,
      (document) => (document.stateDict.groups[0] = 7),
      'schema',
      'stateDict.groups[0] expected an object',
    ],
    [
      'no states',
      adam,
      (document) => (document.state = null),
      'schema',
      'state expected an object, got null',
    ],
    [
      'a state that is none',
      adam,
      (document) => (document.state.w = []),
      'schema',
      'state.w expected an object, got []',
    ],
    [
      'no arrays',
      adam,
      (document) => delete document.state.w.arrays,
      'schema',
      'state.w.arrays expected an object',
    ],
    [
      'a shape that is none',
      adam,
      (document) => (document.state.w.arrays.rows = 2),
      'schema',
      'state.w.arrays.rows expected a shape, got 2',
    ],
    [
      'a counter that is text',
      adam,
      (document) => Object.assign(document.state.w, { step: '1' }),
      'schema',
      'state.w.step expected an integer in [0, 2^31 - 1], got "1"',
    ],
    [
      'a scalar of the optimizer that is text',
      adam,
      (document) => Object.assign(document.state.w, { anything: '0' }),
      'schema',
      'state.w.anything expected a finite number, got "0"',
    ],
    [
      'an infinite counter',
      adam,
      (document) => JSON.stringify(document).replace('"beta2Power":1,', '"beta2Power":1e999,'),
      'schema',
      'state.w.beta2Power expected a number in [0, 1], got Infinity',
    ],
    [
      'no exponent',
      adal,
      (document) => delete document.state.w.exponent,
      'schema',
      'state.w.exponent expected an integer',
    ],
    [
      'an exponent out of range',
      adal,
      (document) => (document.state.w.exponent = 1101),
      'schema',
      'state.w.exponent expected an integer in [-1100, 1100], got 1101',
    ],
    [
      'a negative V',
      adal,
      (document) => (document.state.w.V = -1),
      'schema',
      'state.w.V expected a number ≥ 0, got -1',
    ],
    [
      'a negative step',
      adam,
      (document) => (document.state.w.step = -1),
      'schema',
      'state.w.step expected',
    ],
    [
      'a power of β above 1',
      adam,
      (document) => (document.state.w.beta1Power = 1.5),
      'schema',
      'state.w.beta1Power',
    ],
    [
      'a weight that is not finite',
      adam,
      (_, tensors) =>
        (tensors.w = { shape: [2, 3], data: new Float32Array(6).fill(Infinity) as never }),
      'state',
      'tensor "w" expected finite numbers, got Infinity at 0',
    ],
    [
      'a moment that is not finite',
      adam,
      (_, tensors) =>
        (tensors['w.exp_avg'] = {
          shape: [2, 3],
          data: new Float32Array(6).fill(Number.NaN) as never,
        }),
      'state',
      'tensor "w.exp_avg" expected finite numbers, got NaN at 0',
    ],
    [
      'a negative second moment',
      adal,
      (_, tensors) =>
        (tensors['w.exp_avg_sq'] = { shape: [2, 3], data: new Float32Array(6).fill(-1) as never }),
      'state',
      'tensor "w.exp_avg_sq" expected finite numbers ≥ 0, got -1 at 0',
    ],
    [
      'a negative scale',
      adam,
      (_, tensors) => (tensors['w.coded.scales'] = floats(1, -1)),
      'state',
      'tensor "w.coded.scales" expected finite numbers ≥ 0, got -1 at 0',
    ],
    [
      'more JSON than a checkpoint has',
      adam,
      () => `[${'{},'.repeat(300_000)}0]`,
      'json',
      'objects, arrays and fields, got more',
    ],
    [
      'no extras',
      adam,
      (document) => delete document.extras,
      'schema',
      'extras expected an object',
    ],
    [
      'infinite extras',
      adam,
      (document) => JSON.stringify({ ...document, extras: { a: 7 } }).replace('"a":7', '"a":1e999'),
      'schema',
      'extras.a expected a finite number',
    ],
    [
      'a parameter missing',
      adam,
      (_, tensors) => delete tensors.w,
      'missing',
      'tensor "w" expected to be in the file, got nothing',
    ],
    [
      'an array missing',
      adam,
      (_, tensors) => delete tensors['w.exp_avg'],
      'missing',
      'tensor "w.exp_avg" expected',
    ],
    [
      'scales missing',
      adam,
      (_, tensors) => delete tensors['w.coded.scales'],
      'missing',
      'tensor "w.coded.scales"',
    ],
    [
      'extras missing',
      adam,
      (_, tensors) => delete tensors['extras.mean'],
      'missing',
      'tensor "extras.mean"',
    ],
    [
      'a tensor too many',
      adam,
      (_, tensors) => (tensors.x = floats(1)),
      'unexpected',
      'the file expected to hold nothing else, got tensor "x"',
    ],
    [
      'an array that its state does not list',
      adam,
      (document) => delete document.state.w.arrays.exp_avg,
      'unexpected',
      'tensor "w.exp_avg"',
    ],
    [
      'one tensor twice',
      adam,
      (document) => Object.assign(document.extras.mean, { $tensor: 'w' }),
      'missing',
      'tensor "w"',
    ],
    [
      'a parameter of another type',
      adam,
      (_, tensors) => (tensors.w = { shape: [6], data: new Float64Array(6) as never }),
      'dtype',
      'tensor "w" expected F32, got F64',
    ],
    [
      'an array of another type',
      adam,
      (_, tensors) =>
        (tensors['w.exp_avg'] = { shape: [2, 3], data: new Float64Array(6) as never }),
      'dtype',
      'tensor "w.exp_avg" expected F32, BF16, U8 or I64, got F64',
    ],
    [
      'scales of another type',
      adam,
      (_, tensors) =>
        (tensors['w.coded.scales'] = { shape: [1], data: new Uint8Array(1) as never }),
      'dtype',
      'tensor "w.coded.scales" expected F32, got U8',
    ],
    [
      'scales of two dimensions',
      adam,
      (_, tensors) => (tensors['w.coded.scales'] = { ...floats(1), shape: [1, 1] }),
      'shape',
      'tensor "w.coded.scales" expected one dimension, got [1, 1]',
    ],
    [
      'extras of a type they cannot have',
      adam,
      (_, tensors) =>
        (tensors['extras.mean'] = {
          dtype: 'F16' as never,
          shape: [1],
          data: new Uint16Array(1) as never,
        }),
      'dtype',
      'tensor "extras.mean"',
    ],
    [
      'an array of another shape',
      adam,
      (_, tensors) => (tensors['w.exp_avg'] = { ...floats(6), shape: [3, 2] }),
      'shape',
      'tensor "w.exp_avg" expected shape [2, 3], got [3, 2]',
    ],
    [
      'rows beyond 16 bits',
      adam,
      (_, tensors) =>
        (tensors['w.rows'] = { shape: [2], data: new BigInt64Array([0n, 32768n]) as never }),
      'state',
      'tensor "w.rows" expected 16-bit integers, got 32768',
    ],
    [
      'half of AdaL',
      adal,
      (document, tensors) => [
        delete document.state.w.arrays.exp_avg_sq,
        delete tensors['w.exp_avg_sq'],
      ],
      'state',
      'the state of parameter "w" expected either exp_avg and exp_avg_sq or adal_m and adal_v, ' +
        'got exp_avg',
    ],
    [
      'AdaL in both forms',
      adal,
      (document, tensors) => {
        for (const name of ['adal_m', 'adal_v'])
          [document.state.w.arrays[name], tensors[`w.${name}`]] = [[6], floats(6)];
      },
      'state',
      'got exp_avg, exp_avg_sq, adal_m, adal_v',
    ],
    [
      'AdaL in half of each form',
      adal,
      (document, tensors) => {
        document.state.w.arrays = { exp_avg: [2, 3], adal_v: [2, 3] };
        tensors['w.adal_v'] = tensors['w.exp_avg_sq'];
        delete tensors['w.exp_avg_sq'];
      },
      'state',
      'got exp_avg, adal_v',
    ],
    [
      'AdaL without moments',
      adal,
      (document, tensors) => {
        document.state.w.arrays = {};
        delete tensors['w.exp_avg_sq'];
        delete tensors['w.exp_avg'];
      },
      'state',
      'got none of them',
    ],
    [
      'AdaL in a true scale that its exponent does not allow',
      adal,
      (document) => (document.state.w.exponent = -140),
      'state',
      'parameter "w", array exp_avg',
    ],
    [
      'AdaL in true scale of another type',
      adal,
      (document, tensors) => {
        document.state.w.arrays.exp_avg = [1];
        tensors['w.exp_avg'] = { shape: [1], data: new BigInt64Array(1) as never };
      },
      'dtype',
      'parameter "w", array exp_avg, expected F32',
    ],
  ])('%s', (_, dict, spoil, reason, message) => {
    const bytes = spoilt(dict, spoil);
    const error = caught(() => decodeCheckpoint(bytes));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ reason });
    expect((error as Error).message).toContain(message);
  });

  it('files without our metadata, and no safetensors at all', () => {
    expect(caught(() => decodeCheckpoint(encodeSafetensors({})))).toMatchObject({
      reason: 'not-a-checkpoint',
    });
    expect(caught(() => decodeCheckpoint(new Uint8Array(3)))).toMatchObject({
      reason: 'truncated',
    });
  });

  it('files without a checksum', () => {
    const { tensors, metadata } = decodeSafetensors(encodeCheckpoint(adam));
    const error = caught(() => decodeCheckpoint(encodeSafetensors(tensors, metadata)));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ reason: 'corrupt' });
    expect((error as Error).message).toContain(
      'expected a checksum of its content (metadata "adal_checksum"), got none',
    );
  });
});

describe('damage', () => {
  const dict = dictOf(
    'adal',
    [2, 3],
    { m: new Float32Array(6).fill(1), v: new Float32Array(6).fill(1) },
    -3,
  );
  const bytes = encodeCheckpoint(dict, { mean: new Float32Array(2), epoch: 3, note: 'é' });
  const whole = decodeCheckpoint(bytes);

  /** Either the same checkpoint, or an error of ours: how many of each. */
  function read(changed: Uint8Array): 'same' | 'refused' {
    let got: unknown;
    try {
      got = decodeCheckpoint(changed);
    } catch (error) {
      expect(error).toBeInstanceOf(CheckpointError);
      return 'refused';
    }
    expect(got).toEqual(whole);
    return 'same';
  }

  it.each([0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, 0x09 ^ 0x20])(
    'of any byte, by the mask %d, is refused or changes nothing',
    (mask) => {
      let same = 0;
      for (let at = 0; at < bytes.length; at++) {
        const changed = bytes.slice();
        changed[at]! ^= mask;
        if (read(changed) === 'same') same++;
      }
      // Nothing but the spaces behind the header may change, into another space.
      expect(same).toBeLessThan(8);
    },
  );

  it('of any end is refused', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(read(bytes.slice(0, length))).toBe('refused');
    for (const more of [1, 8, 1000]) {
      const longer = new Uint8Array(bytes.length + more);
      longer.set(bytes);
      expect(read(longer)).toBe('refused');
    }
  });

  it('says what it is', () => {
    const changed = bytes.slice();
    changed[bytes.length - 1]! ^= 1;
    expect(caught(() => decodeCheckpoint(changed))).toMatchObject({
      reason: 'corrupt',
      code: 'ERR_CHECKPOINT',
    });
    expect((caught(() => decodeCheckpoint(changed)) as Error).message).toMatch(
      /^safetensors file is damaged: expected the/,
    );
  });

  it('is none when another program writes the same content in its own way', () => {
    const { header, rest } = partsOf(bytes);
    const spaced = JSON.stringify(
      Object.fromEntries(Object.entries(JSON.parse(header)).reverse()),
      null,
      2,
    );
    const [again] = [Buffer.from(spaced)];
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(again.length));
    expect(decodeCheckpoint(Buffer.concat([length, again, rest]))).toEqual(whole);
  });

  function partsOf(file: Uint8Array): { header: string; rest: Uint8Array } {
    const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
    return {
      header: Buffer.from(file.subarray(8, 8 + length)).toString(),
      rest: file.subarray(8 + length),
    };
  }
});
