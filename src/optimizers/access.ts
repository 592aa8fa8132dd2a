/**
 * Whether an optimizer may be used now. It must not have been disposed of, nor any of its
 * parameters; no step may be under way; and the models that own its parameters must allow it.
 */
import { DisposedError, StepAbortedError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import type { ParameterOwner } from '../tensors/evaluated-tensor';
import { disposalCount } from '../tensors/tensor';
import { describe } from '../validate';
import type { RegisteredParameter } from './registered-parameter';

/** The checks that precede every use of one optimizer. */
export class OptimizerAccess {
  /** How errors name the optimizer; made once, since every step checks. */
  readonly #label: string;
  readonly #runtime: Runtime;
  readonly #parameters: readonly RegisteredParameter[];
  /** The models whose parameters these are. */
  readonly #owners: ParameterOwner[] = [];
  /** Why a step was cut short while it wrote weights; null if none was. */
  #aborted: string | null = null;
  #disposed = false;
  /** Number of tensors that had been disposed of when the parameters were last checked. */
  #checkedAt = -1;

  constructor(name: string, runtime: Runtime, parameters: readonly RegisteredParameter[]) {
    this.#label = `optimizer '${name}'`;
    this.#runtime = runtime;
    this.#parameters = parameters;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Throws unless memory may be read or written now. */
  check(): void {
    if (this.#disposed) throw new DisposedError(this.#label);
    this.#runtime.check(this.#label);
    if (this.#checkedAt !== disposalCount()) this.#checkParameters();
  }

  /** Throws unless the optimizer may be stepped, loaded or extended now. */
  checkOwner(): void {
    if (this.#disposed) throw new DisposedError(this.#label);
    this.#runtime.checkOwner(this.#label);
    if (this.#checkedAt !== disposalCount()) this.#checkParameters();
    for (let index = 0; index < this.#owners.length; index++)
      this.#owners[index].checkAccess(this.#label);
  }

  /** Throws if a step was cut short and no state dict has been loaded since. */
  checkIntact(): void {
    if (this.#aborted) throw new StepAbortedError(this.#aborted);
  }

  /** Takes in the owners of new parameters. */
  addOwners(parameters: readonly RegisteredParameter[]): void {
    for (const { parameter } of parameters) {
      if (parameter.owner && !this.#owners.includes(parameter.owner))
        this.#owners.push(parameter.owner);
    }
  }

  /** Throws unless a step may begin; tells the owners that one does. */
  beginStep(): void {
    this.checkOwner();
    this.checkIntact();
    for (let index = 0; index < this.#owners.length; index++)
      this.#owners[index].beginStep(this.#label);
  }

  /** Tells the owners the outcome of the step. */
  endStep(outcome: 'accepted' | 'refused' | 'failed'): void {
    for (let index = 0; index < this.#owners.length; index++) this.#owners[index].endStep(outcome);
  }

  /** Notes that a step failed, and returns the error. */
  noteFailure(error: unknown): unknown {
    this.endStep('failed');
    if (error instanceof StepAbortedError) this.#aborted = error.message;
    return error;
  }

  /** Notes that a state dict has replaced whatever an aborted step left. */
  noteLoaded(): void {
    this.#aborted = null;
  }

  /** Throws unless the optimizer may be disposed of now; from then on every check throws. */
  dispose(): void {
    if (!this.#runtime.disposed) this.#runtime.checkOwner(this.#label);
    for (const owner of this.#owners) if (!owner.disposed) owner.checkAccess(this.#label);
    this.#disposed = true;
  }

  /** Throws if the memory of a parameter was given back: something else may use it by now. */
  #checkParameters(): void {
    for (const { name, parameter } of this.#parameters) {
      if (parameter.disposed)
        throw new DisposedError(`parameter ${describe(name)} of ${this.#label}`);
    }
    this.#checkedAt = disposalCount();
  }
}
