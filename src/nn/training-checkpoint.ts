/**
 * A run of `fit` as bytes: one safetensors file, with the arrays as tensors and everything else as JSON in its metadata.
 *
 * Invariant: decoding gives back the very numbers that were encoded, NaN and infinities included.
 */
import { type DtypeArray, decodeSafetensors, encodeSafetensors, type SafetensorsEntry } from '../checkpoint/safetensors';
import { CheckpointError } from '../errors';

/** What a checkpoint may hold: JSON, with typed arrays anywhere in it. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | DtypeArray
  | readonly PlainData[]
  | { readonly [key: string]: PlainData };

const FORMAT = 'adal-wasm fit 1';
/** Keys that stand for what JSON has not. */
const ARRAY = '$array';
const NUMBER = '$number';

/** Bytes of plain data. Objects whose only key begins with $ are reserved. */
export function encodeTraining(data: unknown): Uint8Array<ArrayBuffer> {
  const tensors: SafetensorsEntry[] = [];
  const strip = (value: PlainData, path: string): unknown => {
    if (typeof value === 'number')
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { [NUMBER]: Object.is(value, -0) ? '-0' : String(value) };
    if (typeof value !== 'object' || value === null) return value;
    if (ArrayBuffer.isView(value)) {
      const array = value as DtypeArray;
      // 16-bit floats are kept as bits: which format they are is the optimizer's to know.
      const dtype = array instanceof Uint16Array ? ({ dtype: 'BF16' } as const) : {};
      tensors.push({ name: path, shape: [array.length], data: array, ...dtype });
      return { [ARRAY]: path };
    }
    if (Array.isArray(value)) return value.map((item, index) => strip(item, `${path}/${index}`));
    const entries = Object.entries(value as Record<string, PlainData>).filter(([, item]) => item !== undefined);
    return entries.map(([key, item]) => [key, strip(item, `${path}/${key}`)]).reduce<Record<string, unknown>>(define, {});
  };
  const body = strip(data as PlainData, '');
  return encodeSafetensors(tensors, { format: FORMAT, training: JSON.stringify(body) });
}

/** @throws CheckpointError with the reason `'not-training'` when the bytes are another kind of file */
export function decodeTraining(bytes: Uint8Array): unknown {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== FORMAT || metadata.training === undefined) {
    throw new CheckpointError(
      'not-training',
      `a checkpoint of fit expected, got a safetensors file of format ${JSON.stringify(metadata.format ?? 'none')}`,
    );
  }
  const restore = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(restore);
    const [[key, item] = ['', null], ...others] = Object.entries(value);
    if (others.length === 0 && key === NUMBER) return Number(item);
    if (others.length === 0 && key === ARRAY) {
      const tensor = tensors[item as string];
      if (!tensor) throw new CheckpointError('missing', `the checkpoint has no array ${JSON.stringify(item)}`);
      return tensor.data;
    }
    return Object.entries(value)
      .map(([name, part]) => [name, restore(part)] as const)
      .reduce<Record<string, unknown>>(define, {});
  };
  return restore(JSON.parse(metadata.training));
}

/** Sets a key as an own property, `__proto__` too. */
function define(object: Record<string, unknown>, [key, value]: readonly unknown[]): Record<string, unknown> {
  return Object.defineProperty(object, key as string, { value, enumerable: true, configurable: true, writable: true });
}
