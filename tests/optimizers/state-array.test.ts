/** State arrays: every kind is copied, checked and written as a whole. */
import { describe, expect, it } from 'vitest';
import { checkAnyStateArray } from '../../src/checkpoint/state-values';
import { ArgumentError } from '../../src/index';
import {
  checkStateArray,
  copyStateArray,
  partsOf,
  type StateArray,
  writeStateArray,
} from '../../src/optimizers/state-array';
import { caught } from '../support/errors';

const KINDS: Record<string, StateArray> = {
  f32: new Float32Array([1, -0, 2 ** -149]),
  i16: new Int16Array([-32768, 0, 32767]),
  bf16: { dtype: 'bf16', bits: new Uint16Array([0x3f80, 0x8000, 0x7f7f]) },
  '8bit': { dtype: '8bit', codes: new Uint8Array([0, 1, 255]), scales: new Float32Array([0.5]) },
};

function argumentOf(body: () => void): string {
  const error = caught(body);
  expect(error).toBeInstanceOf(ArgumentError);
  return (error as ArgumentError).argument;
}

describe.each(Object.entries(KINDS))('%s', (kind, array) => {
  it('copies share nothing and are equal', () => {
    const copy = copyStateArray(array);
    expect(copy).toEqual(array);
    for (const [index, [, part]] of partsOf(copy).entries())
      expect(part.buffer).not.toBe(partsOf(array)[index][1].buffer);
  });

  it('is written into one of its kind and sizes', () => {
    const target = copyStateArray(array);
    for (const [, part] of partsOf(target)) part.fill(3);
    checkStateArray('s', array, target);
    writeStateArray(target, array);
    expect(target).toEqual(array);
  });

  it('is refused by the other kinds', () => {
    for (const [other, target] of Object.entries(KINDS)) {
      if (other !== kind) expect(argumentOf(() => checkStateArray('s', array, target))).toBe('s');
    }
    for (const nothing of [null, undefined, 7, [1, 2, 3], {}, { dtype: 'f64' }]) {
      expect(argumentOf(() => checkStateArray('s', nothing, array))).toBe('s');
      expect(argumentOf(() => checkAnyStateArray('s', nothing))).toBe('s');
    }
    expect(() => checkAnyStateArray('s', array)).not.toThrow();
  });

  it('is refused when a part has another size', () => {
    for (const [key, part] of partsOf(array)) {
      const longer = new (part.constructor as Float32ArrayConstructor)(part.length + 1);
      const spoilt = key === '' ? longer : { ...array, [key.slice(1)]: longer };
      expect(argumentOf(() => checkStateArray('s', spoilt, array))).toBe(`s${key}`);
    }
  });
});

it('names the element that is not finite', () => {
  const refusal = (value: StateArray) =>
    argumentOf(() => checkStateArray('s', value, copyStateArray(value)));
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    expect(refusal(new Float32Array([0, 1, bad]))).toBe('s[2]');
    expect(
      refusal({ dtype: '8bit', codes: new Uint8Array(1), scales: new Float32Array([bad]) }),
    ).toBe('s.scales[0]');
  }
  for (const bits of [0x7f80, 0xff80, 0x7fc0]) {
    expect(refusal({ dtype: 'bf16', bits: new Uint16Array([0x3f80, bits]) })).toBe('s.bits[1]');
  }
});

it('names the part that is missing', () => {
  const refusal = (value: unknown) => argumentOf(() => checkAnyStateArray('s', value));
  expect(refusal({ dtype: 'bf16' })).toBe('s.bits');
  expect(refusal({ dtype: '8bit', scales: new Float32Array(1) })).toBe('s.codes');
  expect(refusal({ dtype: '8bit', codes: new Uint8Array(1) })).toBe('s.scales');
});
