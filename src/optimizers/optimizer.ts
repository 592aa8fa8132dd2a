/**
 * What all optimizers share: named parameters in linear memory, groups, the atomic step, the state dict.
 *
 * Invariant: a step is accepted as a whole or not at all. Whatever throws or is skipped, be it a wrong argument, a
 * non-finite gradient or a lost worker before the update, leaves every parameter and state bit as it was.
 */
import { STATUS_DONE, STATUS_NON_FINITE } from '../abi/layout';
import { ArgumentError, DisposedError, NonFiniteGradientError, StepAbortedError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import { checkFloats, checkParameterInit, isFloats, Parameter } from '../tensors/parameter';
import { Tensor } from '../tensors/tensor';
import { createRecord, defineView, type TensorViews } from '../tensors/views';
import { checkChoice, checkOptions, fail } from '../validate';
import {
  checkBoolean,
  type Hyperparameters,
  type ParameterRecord,
  ParamGroup,
  type ParamGroupInit,
  type ParamsInit,
} from './param-group';
import { applyStateDict, readStateDict, type StateDict } from './state-dict';
import { StepTable, type TableEntry } from './step-table';

/** What a step did. */
export interface StepResult {
  /** Accepted steps so far, this one included if it was accepted. */
  step: number;
  /** True when the step was refused and `onNonFinite` is 'skip'. */
  skipped: boolean;
  /** Σ|g| over all unfrozen parameters, in float64; NaN or Infinity when a gradient is not finite. */
  gradNorm: number;
  /** Gradient elements that were NaN or infinite. */
  nonFinite: number;
  /** Why the step was skipped. */
  reason: 'non-finite' | 'overflow' | null;
}

/** Gradients by parameter name: every unfrozen parameter's. */
export type Gradients = Readonly<Record<string, Float32Array>>;

/** Options of every optimizer. */
export interface CommonOptions {
  /**
   * What a non-finite gradient does: 'throw' a NonFiniteGradientError, or 'skip' the step and say so in its result. Either
   * way nothing changes.
   * @default 'throw'
   */
  onNonFinite?: 'throw' | 'skip';
}

/** What a subclass says about its rule. */
export interface RuleDescription {
  /** Its name in the registry and in state dicts. */
  readonly name: string;
  /** A RULE_… constant. */
  readonly rule: number;
  /** Names of its state arrays. */
  readonly stateNames: readonly string[];
  readonly globalNorm: boolean;
}

/** A registered parameter. */
interface Slot extends TableEntry {
  readonly name: string;
  /** Whether the optimizer allocated it, and so frees it. */
  readonly owned: boolean;
}

export abstract class Optimizer {
  readonly runtime: Runtime;
  /** Live views of the parameters in linear memory, by name. Ask again after anything that may allocate. */
  readonly params: TensorViews = createRecord<Float32Array>();
  /** Live views of the gradients, by name: write them here and call `step()`, and nothing is copied. */
  readonly grads: TensorViews = createRecord<Float32Array>();
  readonly #rule: RuleDescription;
  readonly #onNonFinite: 'throw' | 'skip';
  readonly #table: StepTable;
  readonly #groups: ParamGroup[] = [];
  readonly #slots: Slot[] = [];
  readonly #check = () => this.check();
  /** What errors call it; made once, since every step checks. */
  readonly #label: string;
  /** What the table's lists were made for. */
  readonly #frozen: boolean[] = [];
  #stepCount = 0;
  #skippedSteps = 0;
  #aborted: string | null = null;
  #disposed = false;
  #ownsRuntime = false;

  protected constructor(runtime: Runtime, rule: RuleDescription, options: CommonOptions) {
    this.runtime = runtime;
    this.#rule = rule;
    this.#label = `optimizer '${rule.name}'`;
    this.#onNonFinite = checkChoice('onNonFinite', options.onNonFinite ?? 'throw', ['throw', 'skip']);
    this.#table = new StepTable(runtime, rule.rule, rule.globalNorm);
  }

  /** Name of the algorithm. */
  get name(): string {
    return this.#rule.name;
  }

  /** Accepted steps. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** Steps refused because of their gradients under `onNonFinite: 'skip'`. */
  get skippedSteps(): number {
    return this.#skippedSteps;
  }

  get paramGroups(): readonly ParamGroup[] {
    return this.#groups;
  }

  /**
   * One step with the gradients in `grads`, or with those given, which are copied there first.
   * @param grads every unfrozen parameter's gradient, by name
   * @throws NonFiniteGradientError unless `onNonFinite` is 'skip'
   */
  step(grads?: Gradients): StepResult {
    return this.stepInto(emptyResult(), grads);
  }

  /** The same, writing into the caller's result: allocates nothing. */
  stepInto(result: StepResult, grads?: Gradients): StepResult {
    this.#begin(grads);
    try {
      this.runtime.step(this.#table.address, this.#table.elementCount);
    } catch (error) {
      throw this.#noteAbort(error);
    }
    return this.#finish(result);
  }

  /** The same without blocking this thread for long. Until it resolves, `params`, `grads` and `step` throw BusyError. */
  async stepAsync(grads?: Gradients): Promise<StepResult> {
    this.#begin(grads);
    try {
      await this.runtime.stepAsync(this.#table.address, this.#table.elementCount);
    } catch (error) {
      throw this.#noteAbort(error);
    }
    return this.#finish(emptyResult());
  }

  /** Sets all gradients to zero. */
  zeroGrad(): void {
    this.check();
    for (const { parameter } of this.#slots) parameter.grad.data.fill(0);
  }

  /**
   * Adds a group of parameters; training goes on with it.
   * @throws ArgumentError, OutOfMemoryError; nothing has changed then
   */
  addParamGroup(init: ParamGroupInit): ParamGroup {
    this.check();
    this.addGroups([init], `paramGroups[${this.#groups.length}]`);
    return this.#groups[this.#groups.length - 1];
  }

  /** Everything that the next steps depend on, gradients apart: plain data, and copies. */
  stateDict(): StateDict {
    this.check();
    if (this.#aborted) throw new StepAbortedError(this.#aborted);
    return readStateDict(this.#stateParts());
  }

  /**
   * Takes over what `stateDict` returned. Learning rates that are functions are kept as they are.
   * @throws ArgumentError naming the key that does not fit; nothing has changed then
   */
  loadStateDict(dict: StateDict): void {
    this.check();
    applyStateDict(this.#stateParts(), dict, () => {
      for (const [index, { betas, eps, weightDecay }] of dict.groups.entries()) {
        this.checkHyperparameters({ betas, eps, weightDecay }, ` (stateDict.groups[${index}])`);
      }
      this.checkGroups(dict.groups.map(({ betas }, index) => ({ betas, index })));
    });
    this.#stepCount = dict.step;
    this.#aborted = null;
  }

  /** Frees the memory; ends the runtime too if the optimizer made it. */
  dispose(): void {
    if (this.#disposed) return;
    if (!this.runtime.disposed) this.runtime.check(this.#label);
    this.#disposed = true;
    if (!this.runtime.disposed) {
      this.#table.dispose();
      for (const slot of this.#slots) releaseSlot(slot);
    }
    if (this.#ownsRuntime) this.runtime.dispose();
  }

  /** @internal The runtime ends with this optimizer. */
  adoptRuntime(): void {
    this.#ownsRuntime = true;
  }

  /** Hyperparameters of a group: those given, else those of `defaults`. Throws for what is out of range. */
  protected abstract checkHyperparameters(given: Partial<Hyperparameters>, where: string): Hyperparameters;

  /** Writes a group's scalars for step `t` (1-based). */
  protected abstract writeGroup(table: StepTable, group: ParamGroup, t: number): void;

  /** Throws unless memory may be touched now. */
  protected check(): void {
    if (this.#disposed) throw new DisposedError(this.#label);
    this.runtime.check(this.#label);
  }

  /** Registers the parameters a constructor was given. */
  protected addParams(params: ParamsInit): void {
    if (Array.isArray(params)) {
      if (params.length === 0) fail('params', 'at least one param group', params);
      this.addGroups(params as readonly ParamGroupInit[], 'params');
    } else {
      this.addGroups([{ params: params as ParameterRecord }], 'params', '');
    }
  }

  /** Checks everything, then allocates everything, then changes something. */
  private addGroups(inits: readonly ParamGroupInit[], where: string, inGroup = '.params'): void {
    const isList = where === 'params' && inits.length > 0 && this.#groups.length === 0;
    const groups: ParamGroup[] = [];
    const pending: { name: string; group: number; init: Parameter | ReturnType<typeof checkParameterInit> }[] = [];
    const taken = new Set(this.#slots.map(({ name }) => name));
    for (const [offset, init] of inits.entries()) {
      const index = this.#groups.length + offset;
      const path = isList && inits.length > 1 ? `params[${offset}]` : where;
      checkOptions(path, init, ['params', 'lr', 'betas', 'eps', 'weightDecay', 'frozen']);
      const { params, frozen = false, ...given } = init;
      const names = checkNames(params, path + inGroup, taken);
      const hyperparameters = this.checkHyperparameters(given, inits.length > 1 ? ` (group ${index})` : '');
      groups.push(new ParamGroup(index, names, hyperparameters, checkBoolean('frozen', frozen)));
      for (const name of names) pending.push({ name, group: index, init: checkInit(name, params[name], this.runtime) });
    }
    this.checkGroups([...this.#groups, ...groups]);
    const slots: Slot[] = [];
    try {
      for (const { name, group, init } of pending) slots.push(this.#allocate(name, group, init));
      this.#table.describe([...this.#slots, ...slots], this.#groups.length + groups.length);
    } catch (error) {
      for (const slot of slots) releaseSlot(slot);
      throw error;
    }
    this.#slots.push(...slots);
    this.#groups.push(...groups);
    this.#selectUnfrozen(true);
    for (const { name, parameter } of slots) {
      defineView(this.params, name, parameter.value, this.#check);
      defineView(this.grads, name, parameter.grad, this.#check);
    }
  }

  /** What must hold between groups; throws where it does not. */
  protected checkGroups(_groups: readonly Pick<ParamGroup, 'betas' | 'index'>[]): void {}

  #allocate(name: string, group: number, init: Parameter | ReturnType<typeof checkParameterInit>): Slot {
    const owned = !(init instanceof Parameter);
    const parameter = owned ? new Parameter(this.runtime, init.shape) : init;
    const states: Tensor[] = [];
    const slot = { name, group, parameter, states, owned };
    try {
      for (const _ of this.#rule.stateNames) states.push(new Tensor(this.runtime, parameter.value.shape));
    } catch (error) {
      releaseSlot(slot);
      throw error;
    }
    if (owned && init.data) parameter.value.data.set(init.data);
    return slot;
  }

  /** All that can fail for wrong arguments; then the scalars of the step. */
  #begin(grads: Gradients | undefined): void {
    this.check();
    if (this.#aborted) throw new StepAbortedError(this.#aborted);
    if (grads !== undefined) this.#copyGradients(grads);
    this.#selectUnfrozen(false);
    for (let index = 0; index < this.#groups.length; index++) {
      const group = this.#groups[index];
      if (!group.frozen) this.writeGroup(this.#table, group, this.#stepCount + 1);
    }
  }

  #copyGradients(grads: Gradients): void {
    if (typeof grads !== 'object' || grads === null) fail('grads', 'an object of Float32Arrays by parameter name', grads);
    for (const name in grads) {
      if (!(name in this.grads)) throw new ArgumentError(`grads.${name}`, 'the name of a parameter', 'an unknown name');
    }
    for (const { name, group, parameter } of this.#slots) {
      const { length } = parameter.grad;
      if (!Object.hasOwn(grads, name)) {
        if (this.#groups[group].frozen) continue;
        throw new ArgumentError(`grads.${name}`, `a Float32Array of ${length} elements`, 'nothing');
      }
      // Asked first, since a path for the error message would be made every step.
      if (!isFloats(grads[name], this.runtime, length)) checkFloats(`grads.${name}`, grads[name], this.runtime, length);
    }
    for (const { name, parameter } of this.#slots) {
      if (Object.hasOwn(grads, name)) parameter.grad.data.set(grads[name]);
    }
  }

  #selectUnfrozen(always: boolean): void {
    let changed = always;
    for (let index = 0; index < this.#groups.length; index++) {
      const { frozen } = this.#groups[index];
      if (this.#frozen[index] === frozen) continue;
      this.#frozen[index] = frozen;
      changed = true;
    }
    if (changed) this.#table.select((group) => this.#frozen[group]);
  }

  #finish(result: StepResult): StepResult {
    const { status } = this.#table;
    result.gradNorm = this.#table.gradNorm;
    result.skipped = status !== STATUS_DONE;
    result.nonFinite = 0;
    result.reason = null;
    if (status === STATUS_DONE) this.#stepCount++;
    else this.#refused(result, status === STATUS_NON_FINITE);
    result.step = this.#stepCount;
    return result;
  }

  #refused(result: StepResult, nonFinite: boolean): void {
    let offender: Slot | null = nonFinite ? null : this.#slots[this.#table.offender];
    for (const slot of this.#slots) {
      if (!nonFinite || this.#groups[slot.group].frozen) continue;
      const count = countNonFinite(slot.parameter.grad.data);
      result.nonFinite += count;
      if (count > 0) offender ??= slot;
    }
    result.reason = nonFinite ? 'non-finite' : 'overflow';
    if (this.#onNonFinite === 'throw') {
      throw new NonFiniteGradientError(result.reason, offender?.group ?? 0, offender?.name ?? '', result.nonFinite);
    }
    this.#skippedSteps++;
  }

  #noteAbort(error: unknown): unknown {
    if (error instanceof StepAbortedError) this.#aborted = error.message;
    return error;
  }

  #stateParts() {
    return { rule: this.#rule, step: this.#stepCount, groups: this.#groups, slots: this.#slots, table: this.#table };
  }
}

if (typeof Symbol.dispose === 'symbol') {
  Object.defineProperty(Optimizer.prototype, Symbol.dispose, {
    value(this: Optimizer) {
      this.dispose();
    },
    configurable: true,
  });
}

/** A result to hand to `stepInto`. */
export function emptyResult(): StepResult {
  return { step: 0, skipped: false, gradNorm: 0, nonFinite: 0, reason: null };
}

function checkNames(params: unknown, where: string, taken: Set<string>): string[] {
  if (typeof params !== 'object' || params === null || Array.isArray(params) || ArrayBuffer.isView(params)) {
    fail(where, 'an object of parameters by name', params);
  }
  const names = Object.keys(params);
  if (names.length === 0) fail(where, 'at least one parameter', params);
  for (const name of names) {
    if (taken.has(name)) throw new ArgumentError(`${where}.${name}`, 'a name that no other parameter has', `"${name}" again`);
    taken.add(name);
  }
  return names;
}

function checkInit(name: string, init: unknown, runtime: Runtime): Parameter | ReturnType<typeof checkParameterInit> {
  if (!(init instanceof Parameter)) return checkParameterInit(`params.${name}`, init, runtime);
  if (init.value.runtime !== runtime)
    throw new ArgumentError(`params.${name}`, "a parameter of this optimizer's runtime", 'one of another');
  return init;
}

function releaseSlot({ owned, parameter, states }: Slot): void {
  if (owned) parameter.dispose();
  for (const state of states) state.dispose();
}

function countNonFinite(values: Float32Array): number {
  let count = 0;
  for (const value of values) if (!Number.isFinite(value)) count++;
  return count;
}
