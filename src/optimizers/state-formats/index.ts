/**
 * The compact state formats, and moments that are kept in one of them. Float32 needs no codec:
 * such a moment is an ordinary tensor.
 */
import { CODECS, LAYOUTS } from '../../../build/optimizer-formats';
import { FORMAT_F32, UNROLL } from '../../memory-layout/constants';
import type { Runtime } from '../../runtime/runtime';
import type { Tensor } from '../../tensors/tensor';
import type { StateCodec, StateLayout } from './state-format';

/** A coded moment as state dicts have it, in any of the formats. */
export type CodedArray = ReturnType<(typeof CODECS)[number]['view']>;

/**
 * How a group keeps the first and second moments of its parameters: as float32, or in the compact
 * format of this name.
 */
export type StateFormat = 'f32' | CodedArray['dtype'];

/** The names of all formats. */
export const STATE_FORMATS: readonly StateFormat[] = [
  'f32',
  .../* @__PURE__ */ LAYOUTS.map(({ name }) => name),
];

/** The layouts of all compact formats. */
export const STATE_LAYOUTS: readonly StateLayout<CodedArray>[] = LAYOUTS;

/**
 * Returns the layout of a compact format.
 * @param name of a format other than 'f32'
 */
export function layoutOf(name: string): StateLayout<CodedArray> {
  return STATE_LAYOUTS.find((layout) => layout.name === name)!;
}

/**
 * Returns the codec of a compact format.
 * @param name of a format other than 'f32'
 */
export function codecOf(name: string): StateCodec<CodedArray> {
  const codecs = CODECS as unknown as readonly StateCodec<CodedArray>[];
  return codecs.find(({ layout }) => layout.name === name)!;
}

/** Returns the id that kernels know a format by. */
export function formatId(name: StateFormat): number {
  return name === 'f32' ? FORMAT_F32 : codecOf(name).id;
}

/** One state array of a parameter, of whatever format. */
export type StateTensor = Tensor | CompactTensor;

/** A moment kept compactly in linear memory. */
export class CompactTensor {
  readonly runtime: Runtime;
  readonly codec: StateCodec<CodedArray>;
  /** Elements. */
  readonly length: number;
  /** Byte offset of the codes. */
  readonly address: number;
  /** Byte offset of the scales; 0 for a format without. */
  readonly scalesAddress: number;
  readonly byteLength: number;

  /** All zero. @throws OutOfMemoryError */
  constructor(runtime: Runtime, format: string, length: number) {
    this.runtime = runtime;
    this.codec = codecOf(format);
    this.length = length;
    const scales = this.codec.scaleCount(length);
    const codeBytes = this.codec.codeBytes(Math.ceil(length / UNROLL) * UNROLL);
    this.byteLength = codeBytes + 4 * scales;
    this.address = runtime.arena.allocate(this.byteLength);
    this.scalesAddress = scales > 0 ? this.address + codeBytes : 0;
    runtime.kernels.defineDecoder?.(this.codec.id, this.codec);
  }

  /** A live view, valid until memory grows. */
  get data(): CodedArray {
    const { buffer } = this.runtime.memory;
    return this.codec.view(buffer, this.address, this.scalesAddress, this.length);
  }

  /** Gives the memory back, zeroed. */
  dispose(): void {
    if (!this.runtime.disposed) this.runtime.arena.release(this.address);
  }
}

/** Returns the byte offset of a state tensor's scales; 0 without. */
export function scalesOf(state: StateTensor | undefined): number {
  return state instanceof CompactTensor ? state.scalesAddress : 0;
}

/**
 * Returns the seed of a tensor's rounding: a hash (FNV-1a) of the optimizer's seed and the UTF-16
 * units of the tensor's name.
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
