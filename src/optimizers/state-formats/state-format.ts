/**
 * What a compact state format is: how the first and second moments of a tensor are kept in linear
 * memory, in state dicts and in files.
 *
 * Each format is a file with two objects and a function, so that a program bundles what it needs: a
 * program which only reads and writes checkpoints the layouts, and only the reference backend the
 * StateEncoder. The reference backend imports the encoder from a copy of the file
 * (scripts/generate/kernels.js), since bundlers put a whole module into one chunk.
 */
import type { StateDecoder } from '../../runtime/kernels-optim';

/** One of the typed arrays that a coded moment consists of. */
export interface FormatPart {
  /** Its key in state dicts. */
  readonly key: string;
  /** The type of its elements in safetensors files. */
  readonly dtype: 'U8' | 'BF16' | 'F16' | 'F32';
  /** What follows the moment's name in files. */
  readonly suffix: string;
}

/** A coded moment as state dicts have it: the name of its format, and its parts by key. */
export interface CodedState {
  readonly dtype: string;
}

/** How state dicts and files hold the moments of a compact state format. */
export interface StateLayout<State extends CodedState = CodedState> {
  /** What the hyperparameter `state` calls it; also the `dtype` of its arrays in state dicts. */
  readonly name: State['dtype'];
  /** The codes first, then whatever goes with them. */
  readonly parts: readonly FormatPart[];
}

/** A compact state format in linear memory. Its AssemblyScript kernel is in assembly/state. */
export interface StateCodec<State extends CodedState = CodedState> extends StateDecoder<State> {
  readonly layout: StateLayout<State>;
  /** Id that the build gave its kernel. */
  readonly id: number;
  /** Whether single rows can be decoded and encoded, as sparse parameters need it. */
  readonly byRows: boolean;
  /** Bytes of the codes of `paddedLength` elements. */
  codeBytes(paddedLength: number): number;
  /** Scales (f32) of `length` elements; 0 without. */
  scaleCount(length: number): number;
  /**
   * Throws ArgumentError naming the element that no moment could have.
   * @param squares whether it holds squares, which are never negative
   */
  checkValues(path: string, state: State, squares: boolean): void;
  /** Multiplies elements [first, first + count) by a power of two, where `byRows`. */
  scale?(state: State, first: number, count: number, factor: number): void;
}
