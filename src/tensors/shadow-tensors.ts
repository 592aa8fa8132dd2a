/**
 * Tensors that stand beside parameters, one for each and of its shape: what an accumulator sums
 * into, and where averages lie.
 *
 * Invariant: shadow tensor i belongs to parameter i; `follow` makes those that are missing, or, where
 * memory does not suffice, none.
 */
import { ArgumentError, DisposedError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import { checkObject } from '../validate';
import type { EvaluatedTensor } from './evaluated-tensor';
import { Tensor } from './tensor';

/** A parameter, or a running figure, as an optimizer or a model names it. */
export interface NamedTensor {
  readonly name: string;
  readonly parameter: EvaluatedTensor;
}

export class ShadowTensors {
  /** The parameters that have a shadow tensor. */
  readonly parameters: NamedTensor[] = [];
  readonly tensors: Tensor[] = [];
  readonly #runtime: Runtime;
  readonly #source: () => readonly NamedTensor[];
  readonly #label: string;
  #disposed = false;

  /**
   * @param source lists the parameters; the list may grow, but only at its end
   * @param label what errors call the owner
   */
  constructor(runtime: Runtime, source: () => readonly NamedTensor[], label: string) {
    this.#runtime = runtime;
    this.#source = source;
    this.#label = label;
  }

  /**
   * Makes a shadow tensor, all zero, for every parameter that has come since.
   * @returns the index of the first new one: the count of all if there is none
   * @throws OutOfMemoryError; nothing has changed then
   */
  follow(): number {
    this.check();
    const listed = this.#source();
    const known = this.tensors.length;
    if (listed.length === known) return known;
    const made: Tensor[] = [];
    try {
      for (let i = known; i < listed.length; i++)
        made.push(new Tensor(this.#runtime, listed[i].parameter.value.shape));
    } catch (error) {
      for (const tensor of made) tensor.dispose();
      throw error;
    }
    this.tensors.push(...made);
    this.parameters.push(...listed.slice(known));
    return known;
  }

  /** Throws unless memory may be touched now. */
  check(): void {
    if (this.#disposed) throw new DisposedError(this.#label);
    this.#runtime.check(this.#label);
  }

  /** @throws DisposedError when a parameter's memory is no longer its own */
  checkAlive(): void {
    for (let i = 0; i < this.parameters.length; i++) {
      const { name, parameter } = this.parameters[i];
      if (parameter.value.disposed) throw new DisposedError(`parameter "${name}"`);
    }
  }

  /**
   * The record's entries by index of their parameter; checks that it has one for each, and no
   * other.
   * @param path what errors call the record
   */
  match(path: string, value: unknown): unknown[] {
    const record = checkObject(path, value, 'an object by parameter name');
    const names = new Set(this.parameters.map(({ name }) => name));
    for (const name of Object.keys(record)) {
      if (!names.has(name))
        throw new ArgumentError(`${path}.${name}`, 'the name of a parameter', 'an unknown name');
    }
    return [...names].map((name) => {
      if (!Object.hasOwn(record, name))
        throw new ArgumentError(`${path}.${name}`, 'an entry for every parameter', 'nothing');
      return record[name];
    });
  }

  /** Frees the tensors; true the first time. */
  dispose(): boolean {
    if (this.#disposed) return false;
    if (!this.#runtime.disposed) this.#runtime.checkOwner(this.#label);
    this.#disposed = true;
    for (const tensor of this.tensors) tensor.dispose();
    return true;
  }
}
