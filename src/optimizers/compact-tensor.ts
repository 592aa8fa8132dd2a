/**
 * A moment kept compactly in linear memory: as bf16, or as a code a byte with a scale a block. How
 * numbers become codes is in assembly/state; here is only where they lie.
 */
import {
  FORMAT_8BIT,
  FORMAT_BF16,
  FORMAT_F32,
  SCALE_BLOCK,
  UNROLL,
} from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import type { Tensor } from '../tensors/tensor';
import type { Bf16State, EightBitState, StateArray } from './state-array';

/** How a group keeps the first and second moments of its parameters. */
export type StateFormat = 'f32' | 'bf16' | '8bit';

/** FORMAT_… constants by name. */
export const FORMATS: Readonly<Record<StateFormat, number>> = {
  f32: FORMAT_F32,
  bf16: FORMAT_BF16,
  '8bit': FORMAT_8BIT,
};

/** One state array of a parameter, of whatever format. */
export type StateTensor = Tensor | CompactTensor;

export class CompactTensor {
  readonly runtime: Runtime;
  readonly format: Exclude<StateFormat, 'f32'>;
  /** Elements. */
  readonly length: number;
  /** Byte offset of the codes. */
  readonly address: number;
  /** Byte offset of the scales; 0 for bf16, which has none. */
  readonly scalesAddress: number;
  readonly byteLength: number;

  /** All zero. @throws OutOfMemoryError */
  constructor(runtime: Runtime, format: Exclude<StateFormat, 'f32'>, length: number) {
    this.runtime = runtime;
    this.format = format;
    this.length = length;
    const padded = Math.ceil(length / UNROLL) * UNROLL;
    const codeBytes = format === 'bf16' ? 2 * padded : padded;
    this.byteLength = codeBytes + (format === '8bit' ? 4 * this.#scaleCount : 0);
    this.address = runtime.arena.allocate(this.byteLength);
    this.scalesAddress = format === '8bit' ? this.address + codeBytes : 0;
  }

  /** A live view, good until memory grows. */
  get data(): Bf16State | EightBitState {
    const { buffer } = this.runtime.memory;
    if (this.format === 'bf16')
      return { dtype: 'bf16', bits: new Uint16Array(buffer, this.address, this.length) };
    return {
      dtype: '8bit',
      codes: new Uint8Array(buffer, this.address, this.length),
      scales: new Float32Array(buffer, this.scalesAddress, this.#scaleCount),
    };
  }

  /** Gives the memory back, zeroed. */
  dispose(): void {
    if (!this.runtime.disposed) this.runtime.arena.release(this.address);
  }

  get #scaleCount(): number {
    return Math.ceil(this.length / SCALE_BLOCK);
  }
}

/**
 * The values of a state array that is known to be float32: those of rules without compact state.
 */
export function floatsOf({ data }: { readonly data: StateArray }): Float32Array {
  if (!(data instanceof Float32Array)) throw new TypeError('this state is not float32');
  return data;
}

/**
 * The seed of a tensor's rounding: of the optimizer's seed and the tensor's name (FNV-1a over its
 * UTF-16 units).
 */
export function roundingSeed(seed: number, name: string): number {
  let hash = 0x811c9dc5;
  const take = (word: number) => {
    hash = Math.imul(hash ^ word, 0x01000193);
  };
  take(seed % 2 ** 32);
  take(Math.floor(seed / 2 ** 32));
  for (let i = 0; i < name.length; i++) take(name.charCodeAt(i));
  return hash >>> 0;
}
