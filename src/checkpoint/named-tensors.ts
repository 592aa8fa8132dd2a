/**
 * The tensors of one checkpoint by name: collected to be written, and handed out after reading.
 *
 * Invariant: no two tensors that are written have the same name, and every tensor that was read is
 * used exactly once.
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
  /** The owner of each name, as a path. */
  readonly #owners = new Map<string, string>([[METADATA, "the file's metadata"]]);

  /**
   * Adds a tensor.
   *
   * @param owner path of the tensor in the data that is saved
   * @throws ArgumentError if the name is taken
   */
  add(name: string, owner: string, tensor: SafetensorsInput): void {
    this.reserve(name, owner);
    this.entries.push({ name, ...tensor });
  }

  /** Reserves a name without a tensor. @throws ArgumentError if the name is taken */
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

  /** Takes a tensor. @throws CheckpointError with the reason `'missing'` */
  take(name: string): SafetensorsTensor {
    if (!this.#left.delete(name))
      refuse('missing', `tensor ${quote(name)}`, 'to be in the file', 'nothing');
    return this.#tensors[name];
  }

  /**
   * Takes a tensor of float32 numbers.
   *
   * @param shape shape that it must have; any if undefined
   * @throws CheckpointError with the reason `'missing'`, `'dtype'` or `'shape'`
   */
  takeF32(name: string, shape?: readonly number[]): SafetensorsTensor & { dtype: 'F32' } {
    const tensor = this.take(name);
    if (tensor.dtype !== 'F32') refuse('dtype', `tensor ${quote(name)}`, 'F32', tensor.dtype);
    if (shape) checkShape(name, tensor.shape, shape);
    return tensor;
  }

  /** Throws a CheckpointError with the reason `'unexpected'` if a tensor was not taken. */
  end(): void {
    const [name] = this.#left;
    if (name !== undefined)
      refuse('unexpected', 'the file', 'to hold nothing else', `tensor ${quote(name)}`);
  }
}

/** Throws a CheckpointError about a key of a checkpoint. */
export function refuse(reason: string, key: string, expected: string, got: string): never {
  throw new CheckpointError(reason, `checkpoint: ${key} expected ${expected}, got ${got}`);
}

/** Returns a name as error messages show it: quoted and short. */
export function quote(name: string): string {
  return JSON.stringify(shorten(name));
}

/** Throws a CheckpointError with the reason `'shape'` if the shapes differ. */
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
