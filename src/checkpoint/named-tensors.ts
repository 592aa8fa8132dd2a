/**
 * The tensors of one checkpoint by name, on their way into a file and out of it.
 *
 * Invariant: going in, no two things have one name; coming out, every tensor is asked for, and none
 * is left over.
 */
import { ArgumentError, CheckpointError } from '../errors';
import { describe } from '../validate';
import { shorten } from './header-json';
import type { SafetensorsEntry, SafetensorsInput } from './safetensors';
import { METADATA } from './safetensors-header';
import type { SafetensorsTensor } from './safetensors-reader';

/** Collects the tensors to save. */
export class TensorCollector {
  readonly entries: SafetensorsEntry[] = [];
  /** Who has a name, as a path. */
  readonly #owners = new Map<string, string>([[METADATA, "the file's metadata"]]);

  /**
   * @param owner what the tensor is, as a path. @throws ArgumentError when something else has that
   * name
   */
  add(name: string, owner: string, tensor: SafetensorsInput): void {
    this.reserve(name, owner);
    this.entries.push({ name, ...tensor });
  }

  /** Keeps a name for what is not saved this time. */
  reserve(name: string, owner: string): void {
    const other = this.#owners.get(name);
    if (other !== undefined) {
      throw new ArgumentError(
        owner,
        'a name of its own in the checkpoint',
        `${describe(name)}, as ${other} has`,
      );
    }
    this.#owners.set(name, owner);
  }
}

/** Hands out the tensors that were read. */
export class TensorSupply {
  readonly #tensors: Readonly<Record<string, SafetensorsTensor>>;
  readonly #left: Set<string>;

  constructor(tensors: Readonly<Record<string, SafetensorsTensor>>) {
    this.#tensors = tensors;
    this.#left = new Set(Object.keys(tensors));
  }

  has(name: string): boolean {
    return this.#left.has(name);
  }

  /** @throws CheckpointError with the reason `'missing'` */
  take(name: string): SafetensorsTensor {
    if (!this.#left.delete(name))
      refuse('missing', `tensor ${quote(name)}`, 'to be in the file', 'nothing');
    return this.#tensors[name];
  }

  /**
   * A tensor of float32 numbers.
   * @param shape that it must have; anyone if not told
   * @throws CheckpointError with the reason `'missing'`, `'dtype'` or `'shape'`
   */
  takeF32(name: string, shape?: readonly number[]): SafetensorsTensor & { dtype: 'F32' } {
    const tensor = this.take(name);
    if (tensor.dtype !== 'F32') refuse('dtype', `tensor ${quote(name)}`, 'F32', tensor.dtype);
    if (shape) checkShape(name, tensor.shape, shape);
    return tensor;
  }

  /** @throws CheckpointError with the reason `'unexpected'` when a tensor was not asked for */
  end(): void {
    const [name] = this.#left;
    if (name !== undefined)
      refuse('unexpected', 'the file', 'to hold nothing else', `tensor ${quote(name)}`);
  }
}

/** Throws the error of a checkpoint that does not hold what it should. */
export function refuse(reason: string, key: string, expected: string, got: string): never {
  throw new CheckpointError(reason, `checkpoint: ${key} expected ${expected}, got ${got}`);
}

/** A name as an error message shows it. */
export function quote(name: string): string {
  return JSON.stringify(shorten(name));
}

/** @throws CheckpointError with the reason `'shape'` */
export function checkShape(
  name: string,
  shape: readonly number[],
  expected: readonly number[],
): void {
  const same =
    shape.length === expected.length && shape.every((size, index) => size === expected[index]);
  if (!same)
    refuse(
      'shape',
      `tensor ${quote(name)}`,
      `shape [${expected.join(', ')}]`,
      `[${shape.join(', ')}]`,
    );
}
