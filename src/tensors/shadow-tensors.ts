/**
 * Shadow tensors: one tensor for each parameter, of the same shape. Accumulators keep their sums in
 * them, averages their averages.
 *
 * Invariant: shadow tensor i belongs to parameter i. `follow` allocates all missing ones, or none
 * if memory does not suffice.
 */
import { ArgumentError, DisposedError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import { checkObject } from '../validate';
import type { EvaluatedTensor } from './evaluated-tensor';
import { Tensor } from './tensor';

/** A parameter or running statistic, with the name that its optimizer or model gives it. */
export interface NamedTensor {
  readonly name: string;
  readonly parameter: EvaluatedTensor;
}

/** The shadow tensors of an accumulator or average. */
export class ShadowTensors {
  /** Parameters that have a shadow tensor. */
  readonly parameters: NamedTensor[] = [];
  readonly tensors: Tensor[] = [];
  readonly #runtime: Runtime;
  readonly #source: () => readonly NamedTensor[];
  readonly #label: string;
  #disposed = false;

  /**
   * @param source lists the parameters; later lists may only have more of them at the end
   * @param label what errors call the accumulator or average
   */
  constructor(runtime: Runtime, source: () => readonly NamedTensor[], label: string) {
    this.#runtime = runtime;
    this.#source = source;
    this.#label = label;
  }

  /**
   * Allocates shadow tensors of zeros for all parameters added since the last call.
   * @returns the index of the first new one, or the number of all if there is none
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

  /** Checks that memory may be used now. */
  check(): void {
    if (this.#disposed) throw new DisposedError(this.#label);
    this.#runtime.check(this.#label);
  }

  /**
   * Checks that no parameter has been disposed.
   * @throws DisposedError naming the parameter
   */
  checkAlive(): void {
    for (let i = 0; i < this.parameters.length; i++) {
      const { name, parameter } = this.parameters[i];
      if (parameter.value.disposed) throw new DisposedError(`parameter "${name}"`);
    }
  }

  /**
   * Checks that a record has an entry for each parameter and no others.
   * @param path what errors call the record
   * @returns the entries in the order of the parameters
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

  /** Frees the tensors; returns true the first time. */
  dispose(): boolean {
    if (this.#disposed) return false;
    if (!this.#runtime.disposed) this.#runtime.checkOwner(this.#label);
    this.#disposed = true;
    for (const tensor of this.tensors) tensor.dispose();
    return true;
  }
}
