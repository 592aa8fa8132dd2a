/**
 * Compact state in plain TypeScript, element by element: what assembly/state does. Codes and scales
 * are described there.
 */
import { FORMAT_BF16, SCALE_BLOCK } from '../../memory-layout/constants';
import type { LinearMemory } from '../memory';

const f = Math.fround;
const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function bitsOf(x: number): number {
  float[0] = x;
  return word[0];
}

function fromBits(bits: number): number {
  word[0] = bits;
  return float[0];
}

/** Wellons' lowbias32, as in assembly/state/random.ts. */
function mix(x: number): number {
  let y = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  y = Math.imul(y ^ (y >>> 15), 0x846ca68b);
  return (y ^ (y >>> 16)) >>> 0;
}

/** The key of a tensor's step. */
export function roundingKey(seed: number, step: number): number {
  return mix(seed ^ mix(step));
}

/** The random u32 for element i of a moment. */
function randomAt(key: number, kind: CompactMoment['kind'], i: number): number {
  return (mix((key + (kind === 'second' ? 1 : 2)) >>> 0) + Math.imul(mix(key) | 1, i)) >>> 0;
}

/** One moment of a compact tensor. Addresses are in bytes. */
export interface CompactMoment {
  readonly kind: 'first' | 'second';
  readonly format: number;
  readonly codes: number;
  readonly scales: number;
}

/** Elements [first, first + to.length) as f32. */
export function decodeMoment(
  { buffer, f32 }: LinearMemory,
  moment: CompactMoment,
  first: number,
  to: Float32Array,
): void {
  if (moment.format === FORMAT_BF16) {
    const codes = new Uint16Array(buffer, moment.codes + 2 * first, to.length);
    for (let i = 0; i < to.length; i++) to[i] = fromBits(codes[i] << 16);
    return;
  }
  const codes = new Uint8Array(buffer, moment.codes + first, to.length);
  const value = moment.kind === 'first' ? firstMomentOf : secondMomentOf;
  for (let i = 0; i < to.length; i++)
    to[i] = f(value(codes[i]) * f32[(moment.scales >>> 2) + Math.floor((first + i) / SCALE_BLOCK)]);
}

/**
 * Encodes `from` into elements [first, first + from.length), which are whole scale blocks, the
 * tensor's last perhaps cut short.
 */
export function encodeMoment(
  { buffer, f32 }: LinearMemory,
  moment: CompactMoment,
  first: number,
  from: Float32Array,
  key: number,
): void {
  if (moment.format === FORMAT_BF16) {
    const codes = new Uint16Array(buffer, moment.codes + 2 * first, from.length);
    for (let i = 0; i < from.length; i++)
      codes[i] = bf16Of(moment.kind, from[i], randomAt(key, moment.kind, first + i));
    return;
  }
  const codes = new Uint8Array(buffer, moment.codes + first, from.length);
  const code = moment.kind === 'first' ? codeOfFirst : codeOfSecond;
  for (let block = 0; block < from.length; block += SCALE_BLOCK) {
    const values = from.subarray(block, block + SCALE_BLOCK);
    const scale = scaleOf(values);
    f32[(moment.scales >>> 2) + (first + block) / SCALE_BLOCK] = scale;
    for (let i = 0; i < values.length; i++) {
      codes[block + i] = code(
        values[i],
        1 / scale,
        randomAt(key, moment.kind, first + block + i) >>> 12,
      );
    }
  }
}

function bf16Of(kind: CompactMoment['kind'], x: number, random: number): number {
  const bits = bitsOf(x);
  if (kind === 'first') return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  return Math.max((bits + (random >>> 16)) >>> 16, x > 0 ? 1 : 0);
}

/** 2^(e-32)·(1 + m/8) of a code eeeee mmm; 0 of 0. */
function secondMomentOf(code: number): number {
  return code === 0 ? 0 : 2 ** ((code >> 3) - 32) * (1 + (code & 7) / 8);
}

/** ±(2^(e-16)·(1 + m/8) - 2^-16) of a code s eeee mmm. */
function firstMomentOf(code: number): number {
  const magnitude = 2 ** (((code >> 3) & 15) - 16) * (1 + (code & 7) / 8) - 2 ** -16;
  return code < 128 ? magnitude : -magnitude;
}

/**
 * The power of two above the largest magnitude, or twice that where the magnitude would round up to
 * it; in [2^-94, 2^126].
 */
function scaleOf(values: Float32Array): number {
  let largest = 0;
  for (const x of values) largest = Math.max(largest, Math.abs(x));
  const exponent = ((bitsOf(largest) + (1 << 20)) >>> 23) - 127 + 1;
  return 2 ** Math.min(126, Math.max(-94, exponent));
}

/** Codes: `random` has 20 bits. */
function codeOfSecond(v: number, inverse: number, random: number): number {
  const x = (bitsOf(f(v * inverse)) - (95 << 23)) | 0;
  const code = Math.min(255, (x + random) >> 20);
  return Math.max(code, v > 0 ? 1 : 0);
}

function codeOfFirst(m: number, inverse: number, random: number): number {
  const code = (bitsOf(f(f(Math.abs(m) * inverse) + 2 ** -16)) - (111 << 23) + random) >> 20;
  return Math.min(127, code) | (bitsOf(m) >>> 31 ? 128 : 0);
}
