/**
 * What all optimizers share: named parameters in linear memory, groups, the atomic step, the state
 * dict.
 *
 * Invariant: a step is accepted as a whole or not at all. Whatever throws or is skipped, be it a
 * wrong argument, a non-finite gradient or a lost worker before the update, leaves every parameter
 * and state bit as it was.
 *
 * Code of the user's runs inside a step in two places: getters of the gradients, and functions of
 * the learning rate. All of it runs before anything is written, and meanwhile the runtime refuses
 * whatever would allocate, free, step or load.
 */

import { ArgumentError, DisposedError, NonFiniteGradientError, StepAbortedError } from '../errors';
import {
  FORMAT_F32,
  GROUP_BETA1,
  GROUP_BETA2,
  GROUP_NORM_LIMIT,
  STATUS_DONE,
  STATUS_NON_FINITE,
} from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import type { ParameterOwner } from '../tensors/evaluated-tensor';
import { disposalCount } from '../tensors/tensor';
import { createRecord, defineView, type TensorViews } from '../tensors/views';
import { checkChoice, checkInteger, checkRuntime, copyOptions, describe } from '../validate';
import { checkClipping, clippingOptions, copyClipping } from './clipping';
import {
  type BaseHyperparameters,
  type Betas,
  checkDecay,
  checkFields,
  defaultsOf,
} from './hyperparameters';
import { memoryOf, type OptimizerMemory } from './memory';
import {
  checkBoolean,
  learningRateAt,
  type ParamGroup,
  type ParamGroupInit,
  type ParamsInit,
} from './param-group';
import { releaseSlot, type Slot } from './registered-parameter';
import {
  allocateSlots,
  checkNewGroups,
  type GroupInits,
  listGroups,
  type Registrar,
} from './registration';
import type { CommonOptions, RuleDescription } from './rule';
import { snapshot } from './snapshot';
import type { RowIndices } from './sparse-rows';
import {
  applyStateDict,
  type FixedOptions,
  type LoadOptions,
  readStateDict,
  type StateDict,
} from './state-dict';
import {
  checkResult,
  countNonFinite,
  emptyResult,
  type Gradients,
  readGradients,
  type StepResult,
  writeGradients,
} from './step-result';
import { StepScalars, StepTable, type TableOptions } from './step-table';

/** When callbacks run, as errors say it. */
const IN_CALLBACK =
  "inside a callback that an optimizer waits for, such as a learning rate's function or a getter of its arguments";

export abstract class Optimizer<H extends BaseHyperparameters = BaseHyperparameters> {
  readonly runtime: Runtime;
  /**
   * Live views of the parameters in linear memory, by name. Ask again after anything that may
   * allocate.
   */
  readonly params: TensorViews = createRecord<Float32Array>();
  /**
   * Live views of the gradients, by name: write them here and call `step()`, and nothing is copied.
   */
  readonly grads: TensorViews = createRecord<Float32Array>();
  readonly #rule: RuleDescription<H>;
  readonly #defaults: H;
  readonly #scalars = new StepScalars();
  readonly #seed: number;
  readonly #options: FixedOptions;
  readonly #onNonFinite: 'throw' | 'skip';
  /** The option `groups`, for the first registration. */
  readonly #matched: CommonOptions['groups'];
  readonly #table: StepTable;
  readonly #tableOptions: TableOptions;
  readonly #groups: ParamGroup<H>[] = [];
  readonly #slots: Slot[] = [];
  /** The models whose parameters they are. */
  readonly #owners: ParameterOwner[] = [];
  readonly #check = () => this.check();
  /** What errors call it; made once, since every step checks. */
  readonly #label: string;
  /** What the table's lists were made for. */
  readonly #frozen: boolean[] = [];
  /** Each group's learning rate of the coming step. */
  readonly #rates: number[] = [];
  /** Gradients that were read and not copied yet, by parameter. */
  readonly #incoming: (Float32Array | null)[] = [];
  /** Made once: a closure in a method that every step calls costs it an allocation. */
  readonly #isFrozen = (group: number) => this.#frozen[group];
  /** What the last `stepInto` wrote into. */
  #lastResult: StepResult | null = null;
  /**
   * By group: the rate and the hyperparameters that its limits were last checked and written for.
   */
  #limitedRates = new Float64Array(0);
  readonly #limitedValues: (Readonly<H> | null)[] = [];
  #stepCount = 0;
  #skippedSteps = 0;
  #aborted: string | null = null;
  #disposed = false;
  /** How many tensors had been disposed of when the parameters were last looked at. */
  #checkedAt = -1;
  #ownsRuntime = false;

  /** @param options the optimizer's own options, of which `fields` are the groups' defaults */
  protected constructor(
    runtime: Runtime,
    rule: RuleDescription<H>,
    options: CommonOptions & Partial<H>,
  ) {
    this.runtime = checkRuntime('runtime', runtime);
    this.#rule = rule;
    this.#label = `optimizer '${rule.name}'`;
    this.#onNonFinite = checkChoice('onNonFinite', options.onNonFinite ?? 'throw', [
      'throw',
      'skip',
    ]);
    this.#matched = options.groups;
    this.#seed = checkInteger('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
    const { globalNorm = false, initialScalar = 0, normRatio } = rule;
    const clips = copyClipping(options);
    const clipping = checkClipping(clips, normRatio);
    this.#options = { ...rule.options, ...clippingOptions(clips) };
    this.#tableOptions = { rule: rule.rule, globalNorm, initialScalar, clipping };
    this.#table = new StepTable(runtime, this.#tableOptions);
    this.check();
    this.#defaults = checkFields(rule.fields, options, defaultsOf(rule.fields), '');
    this.#together(this.#defaults, '');
  }

  /**
   * Live views of the parameters to evaluate with: `params`, unless the algorithm trains at another
   * point than it arrives at.
   */
  get evaluationParams(): TensorViews {
    return this.params;
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

  get paramGroups(): readonly ParamGroup<H>[] {
    return this.#groups;
  }

  /**
   * One step with the gradients in `grads`, or with those given, which are copied there first.
   *
   * A step is refused like one with non-finite gradients, reason 'overflow', if its numbers could
   * leave float32: in most rules when the L1 norm of a parameter's gradient is 2^63 or more, since
   * its squares would (SGD: 2^120/lr, less with momentum; Lion: 2^127; AdaL: only what ε makes too
   * large).
   * @param grads every unfrozen parameter's gradient, by name
   * @throws NonFiniteGradientError unless `onNonFinite` is 'skip'
   * @throws ArgumentError for gradients that do not fit, or a learning rate that its function
   * should not have returned
   * @throws BusyError inside a callback of a step, or while a `stepAsync` is under way
   * @throws DisposedError after `dispose` of the optimizer, or of a model whose parameters it has
   */
  step(grads?: Gradients): StepResult {
    return this.stepInto(emptyResult(), grads);
  }

  /**
   * The same, writing into the caller's result: allocates nothing.
   * @throws ArgumentError before the step if `result` cannot be written
   */
  stepInto(result: StepResult, grads?: Gradients): StepResult {
    // What was written once can be written again, unless it has been frozen since.
    if (this.#lastResult !== null && result === this.#lastResult) result.step = this.#stepCount;
    else checkResult(result);
    this.#lastResult = result;
    this.#begin(grads);
    try {
      this.runtime.step(this.#table.address, this.#table.elementCount);
    } catch (error) {
      throw this.#noteFailure(error);
    }
    return this.#finish(result);
  }

  /**
   * The same without blocking this thread for long. Until it resolves, `params`, `grads` and `step`
   * throw BusyError.
   */
  async stepAsync(grads?: Gradients): Promise<StepResult> {
    this.#begin(grads);
    try {
      await this.runtime.stepAsync(this.#table.address, this.#table.elementCount);
    } catch (error) {
      throw this.#noteFailure(error);
    }
    return this.#finish(emptyResult());
  }

  /**
   * One step of some rows of a sparse parameter, created as `{ shape: [rows, …], sparse: true }`:
   * no other row is read or written. What a dense step does to rows without gradients, the decay of
   * their moments and of their weights, is left out (lazy moments).
   *
   * The parameter counts its own steps: bias corrections, learning rate and AdaL's 1/√t go by them,
   * and `step()` leaves it alone. Norms, for AdaL and for clipping, are over the rows given. If all
   * rows are given every time, weights have the bits of dense steps.
   *
   * @param rowIndices integers in [0, rows), in any order; gradients of the same row are added in
   * the order in which they come
   * @param grads one row an index: rowIndices.length × (elements a row)
   * @returns what the step did; `step` counts the parameter's own steps
   * @throws ArgumentError for rows, gradients or a parameter that do not fit,
   * NonFiniteGradientError as `step`; nothing has changed then
   * @example
   * const optimizer = await createOptimizer('adamw', { words: { shape: [100_000, 64], sparse: true
   * } }); optimizer.stepRows('words', [17, 4, 17], new Float32Array(3 * 64).fill(0.1));
   */
  stepRows(name: string, rowIndices: RowIndices, grads: Float32Array): StepResult {
    this.#checkOwner();
    if (this.#aborted) throw new StepAbortedError(this.#aborted);
    const index = this.#slots.findIndex((slot) => slot.name === name);
    const slot = this.#slots[index];
    if (!slot?.rows)
      throw new ArgumentError(
        'name',
        'the name of a parameter created with sparse: true',
        describe(name),
      );
    const group = this.#groups[slot.group];
    if (group.frozen)
      throw new ArgumentError('name', 'a parameter of a group that is not frozen', describe(name));
    const counters = this.#table.counters(index);
    const { rows } = slot;
    const scalars = this.#scalars;
    let indices: Uint32Array;
    this.runtime.setCallbacks(IN_CALLBACK);
    try {
      indices = rows.checkArguments(rowIndices, grads);
      scalars.lr = this.#rateAt(group.hyperparameters, counters.step + 1);
    } finally {
      this.runtime.setCallbacks(null);
    }
    rows.gather(indices, grads, counters);
    this.#prepareRows(rows.table, counters.step + 1, group.hyperparameters);
    this.runtime.step(rows.table.address, rows.table.elementCount);
    rows.scatter();
    this.#table.setCounters(index, rows.table.counters(0));
    const result = emptyResult();
    result.gradNorm = rows.table.gradNorm;
    result.step = this.#table.counters(index).step;
    if (rows.table.status === STATUS_DONE) return result;
    const limit = rows.table.normLimit(0);
    return this.#refuse(result, rows.table.status, slot, countNonFinite(rows.gradient), limit);
  }

  /** Sets all gradients to zero. */
  zeroGrad(): void {
    this.check();
    for (const { parameter } of this.#slots) if (!parameter.sparse) parameter.grad.data.fill(0);
  }

  /**
   * Adds a group of parameters; training goes on with it.
   * @throws ArgumentError, OutOfMemoryError; nothing has changed then
   */
  addParamGroup(init: ParamGroupInit<H>): ParamGroup<H> {
    this.#checkOwner();
    this.#addGroups({
      inits: [init],
      paths: [`paramGroups[${this.#groups.length}]`],
      inGroup: '.params',
    });
    return this.#groups[this.#groups.length - 1];
  }

  /** Bytes of linear memory by what they are for, padding included. */
  memory(): OptimizerMemory {
    this.check();
    return memoryOf(this.#slots, this.#table);
  }

  /** Everything that the next steps depend on, gradients apart: plain data, and copies. */
  stateDict(): StateDict {
    this.check();
    if (this.#aborted) throw new StepAbortedError(this.#aborted);
    const before = this.runtime.setCallbacks(IN_CALLBACK); // schedules may have state
    try {
      return readStateDict(this.#stateParts());
    } finally {
      this.runtime.setCallbacks(before);
    }
  }

  /**
   * Takes over what `stateDict` returned: training goes on as if it had not stopped, bit for bit. A
   * group whose learning rate was a function keeps its own; if that has state, as `reduceOnPlateau`
   * has, it takes over the dict's.
   *
   * With `strict: false` the dict may have other groups and parameters. Parameters that it does not
   * have, and what it has and the optimizer does not, are left alone; those both have must agree in
   * shape and have their whole state. Each group takes its hyperparameters from the dict's group
   * that has the first of its parameters that any of them has, and keeps its own where that group
   * says nothing, or there is none. The step count is the dict's. Algorithm and fixed options must
   * agree either way, and every number must be one that the algorithm can have: finite, second
   * moments at or above 0, scales powers of two, exponents and counters in their ranges. Arrays
   * over a SharedArrayBuffer are copied before they are checked.
   *
   * @throws ArgumentError naming the key that does not fit; nothing has changed then
   * @example
   * const saved = optimizer.stateDict();
   * other.loadStateDict(saved);
   * larger.loadStateDict(saved, { strict: false });
   */
  loadStateDict(dict: StateDict, options: LoadOptions = {}): void {
    this.#checkOwner();
    this.runtime.setCallbacks(IN_CALLBACK);
    try {
      const strict = checkBoolean(
        'strict',
        copyOptions('options', options, ['strict']).strict ?? true,
      );
      const own = this.adaptDict(snapshot(dict) as StateDict);
      applyStateDict(this.#stateParts(), own, strict, (hyperparameters) => {
        for (const [index, values] of hyperparameters.entries())
          this.#together(values, ` (stateDict.groups[${index}])`);
        this.checkGroups(hyperparameters);
      });
      this.#stepCount = own.step;
      this.#aborted = null;
    } finally {
      this.runtime.setCallbacks(null);
    }
  }

  /**
   * Frees the memory; ends the runtime too if the optimizer made it.
   * @throws BusyError inside a callback of a step, or while a `stepAsync` is under way
   */
  dispose(): void {
    if (this.#disposed) return;
    if (!this.runtime.disposed) this.runtime.checkOwner(this.#label);
    for (const owner of this.#owners) if (!owner.disposed) owner.checkAccess(this.#label);
    this.#disposed = true;
    if (!this.runtime.disposed) {
      for (const slot of this.#slots) {
        this.leave?.(slot);
        releaseSlot(slot);
      }
      this.#table.dispose();
    }
    if (this.#ownsRuntime) this.runtime.dispose();
  }

  /** @internal The registered parameters, in order of registration. */
  get slots(): readonly Slot[] {
    this.check();
    return this.#slots;
  }

  /** @internal The runtime ends with this optimizer. */
  adoptRuntime(): void {
    this.#ownsRuntime = true;
  }

  /** What must hold between a group's hyperparameters; throws where it does not. */
  protected checkTogether(_values: H, _where: string): void {}

  /** What must hold between groups; throws where it does not. */
  protected checkGroups(_groups: readonly Readonly<H>[]): void {}

  /** A state dict as `stateDict` of this class would have it if the class added nothing to it. */
  protected adaptDict(dict: StateDict): StateDict {
    return dict;
  }

  /**
   * Writes `scalars.normLimit` for a group: the least Σ|g| of a tensor that refuses the step.
   * Throws for a `scalars.lr` that does not fit the group's other hyperparameters. Called when any
   * of them has changed.
   */
  protected abstract limitNorm(scalars: StepScalars, values: Readonly<H>): void;

  /**
   * Writes what the kernels need of a group for the coming step: by default its betas, if it has
   * any.
   */
  protected writeGroup(
    table: StepTable,
    index: number,
    values: Readonly<H>,
    _scalars: StepScalars,
  ): void {
    const { betas = NO_BETAS } = values as { betas?: Betas };
    table.setGroup(index, GROUP_BETA1, betas[0]);
    table.setGroup(index, GROUP_BETA2, betas[1]);
  }

  /**
   * Writes the constants of a tensor's next update, in the order in which the rule takes them, into
   * `scalars.constants`. The first is left to the kernels: r, the factor by which the gradient is
   * clipped. Rules whose constants depend on the gradients compute them in the kernels instead, and
   * leave this out.
   */
  protected prepare?(scalars: StepScalars, values: Readonly<H>): void;

  /** Gives a new tensor's state its first values, where they are not zero. */
  protected initialise?(slot: Slot, values: Readonly<H>): void;

  /** Called before the optimizer lets go of a parameter. */
  protected leave?(slot: Slot): void;

  /** Accepted steps of one parameter. */
  protected stepsOf(slot: Slot): number {
    return this.#table.counters(this.#slots.indexOf(slot)).step;
  }

  /** Throws unless memory may be touched now. */
  protected check(): void {
    if (this.#disposed) throw new DisposedError(this.#label);
    this.runtime.check(this.#label);
    if (this.#checkedAt !== disposalCount()) this.#checkParameters();
  }

  /** Throws unless the optimizer may be stepped, loaded or extended now. */
  #checkOwner(): void {
    if (this.#disposed) throw new DisposedError(this.#label);
    this.runtime.checkOwner(this.#label);
    if (this.#checkedAt !== disposalCount()) this.#checkParameters();
    for (let index = 0; index < this.#owners.length; index++)
      this.#owners[index].checkAccess(this.#label);
  }

  /**
   * Throws if the memory of a parameter has been given back: it belongs to somebody else by now.
   */
  #checkParameters(): void {
    for (const { name, parameter } of this.#slots) {
      if (parameter.disposed)
        throw new DisposedError(`parameter ${describe(name)} of ${this.#label}`);
    }
    this.#checkedAt = disposalCount();
  }

  /** What must hold between a group's hyperparameters. */
  #together(values: H, where: string): void {
    if (typeof values.lr === 'number') checkDecay(values.lr, values.weightDecay, where);
    this.checkTogether(values, where);
  }

  /** Registers the parameters a constructor was given. */
  protected addParams(params: ParamsInit<H>): void {
    this.#addGroups(listGroups(params, this.#matched));
  }

  /** Checks everything, then allocates everything, then changes something. */
  #addGroups(inits: GroupInits<H>): void {
    const registrar: Registrar<H> = {
      runtime: this.runtime,
      rule: this.#rule,
      defaults: this.#defaults,
      seed: this.#seed,
      table: this.#tableOptions,
      groups: this.#groups,
      slots: this.#slots,
      checkTogether: (values, where) => this.#together(values, where),
    };
    const before = this.runtime.setCallbacks(IN_CALLBACK); // `match` may be a function
    let added: ReturnType<typeof checkNewGroups<H>>;
    try {
      added = checkNewGroups(registrar, inits);
    } finally {
      this.runtime.setCallbacks(before);
    }
    const { groups, pending } = added;
    const all = [...this.#groups, ...groups];
    this.checkGroups(all.map(({ hyperparameters }) => hyperparameters));
    const slots = allocateSlots(registrar, groups, pending, (made) =>
      this.#table.describe([...this.#slots, ...made], all.length),
    );
    this.#register(groups, slots);
  }

  #register(groups: readonly ParamGroup<H>[], slots: readonly Slot[]): void {
    this.#slots.push(...slots);
    for (const { parameter } of slots) {
      if (parameter.owner && !this.#owners.includes(parameter.owner))
        this.#owners.push(parameter.owner);
    }
    this.#groups.push(...groups);
    this.#limitedValues.fill(null); // the table may have moved
    this.#limitedRates = new Float64Array(this.#groups.length);
    this.#selectUnfrozen(true);
    for (const slot of slots) {
      this.initialise?.(slot, this.#groups[slot.group].hyperparameters);
      defineView(this.params, slot.name, slot.parameter.value, this.#check);
      if (!slot.rows) defineView(this.grads, slot.name, slot.parameter.grad, this.#check);
    }
  }

  /** All that can fail for wrong arguments; then the scalars of the step. */
  #begin(grads: Gradients | undefined): void {
    this.#checkOwner();
    if (this.#aborted) throw new StepAbortedError(this.#aborted);
    for (let index = 0; index < this.#owners.length; index++)
      this.#owners[index].beginStep(this.#label);
    try {
      this.#prepareStep(grads);
    } catch (error) {
      this.#endStep('failed');
      throw error;
    }
  }

  #prepareStep(grads: Gradients | undefined): void {
    const scalars = this.#scalars;
    scalars.optimizerStep = this.#stepCount + 1;
    this.#selectUnfrozen(false);
    let callbacks = grads !== undefined;
    for (let index = 0; index < this.#groups.length; index++) {
      const { lr } = this.#groups[index].hyperparameters;
      if (typeof lr === 'number') this.#rates[index] = lr;
      else callbacks = true;
    }
    if (callbacks) this.#runCallbacks(grads);
    for (let index = 0; index < this.#groups.length; index++) {
      if (this.#frozen[index]) continue;
      const values = this.#groups[index].hyperparameters;
      scalars.lr = this.#rates[index];
      if (this.#limitedRates[index] !== scalars.lr || this.#limitedValues[index] !== values)
        this.#writeLimit(index, values);
      this.writeGroup(this.#table, index, values, scalars);
      if (this.prepare) this.#prepareGroup(index, values);
    }
    if (grads !== undefined) writeGradients(this.#incoming, this.#slots, this.runtime);
  }

  /** Tells the models whose parameters these are what has become of the step. */
  #endStep(outcome: 'accepted' | 'refused' | 'failed'): void {
    for (let index = 0; index < this.#owners.length; index++) this.#owners[index].endStep(outcome);
  }

  /** Reads gradients and learning rates, which may run code of the user's. */
  #runCallbacks(grads: Gradients | undefined): void {
    this.runtime.setCallbacks(IN_CALLBACK);
    try {
      if (grads !== undefined)
        readGradients(this.#incoming, grads, this.grads, this.#slots, this.#isFrozen);
      for (let index = 0; index < this.#groups.length; index++) {
        const values = this.#groups[index].hyperparameters;
        if (this.#frozen[index] || typeof values.lr === 'number') continue;
        this.#rates[index] = this.#rateAt(values, this.#scalars.optimizerStep);
      }
    } finally {
      this.runtime.setCallbacks(null);
    }
  }

  /** The learning rate of a group's coming step, which may be what a callback returns. */
  #rateAt(values: Readonly<H>, step: number): number {
    const lr = learningRateAt(values, step);
    checkDecay(lr, values.weightDecay, '');
    return lr;
  }

  /**
   * Checks what must hold between a group's rate and its other hyperparameters, and writes the
   * limit of its norms.
   */
  #writeLimit(index: number, values: Readonly<H>): void {
    this.limitNorm(this.#scalars, values);
    this.#table.setGroup(index, GROUP_NORM_LIMIT, this.#scalars.normLimit);
    this.#limitedRates[index] = this.#scalars.lr;
    this.#limitedValues[index] = values;
  }

  /** The scalars of a step over gathered rows, of which the learning rate is known. */
  #prepareRows(table: StepTable, step: number, values: Readonly<H>): void {
    const scalars = this.#scalars;
    scalars.optimizerStep = step;
    this.limitNorm(scalars, values);
    table.setGroup(0, GROUP_NORM_LIMIT, scalars.normLimit);
    this.writeGroup(table, 0, values, scalars);
    if (!this.prepare) return;
    table.readScalars(0, scalars);
    this.prepare(scalars, values);
    table.writeScalars(0, scalars);
  }

  /** The constants of every tensor of a group. */
  #prepareGroup(group: number, values: Readonly<H>): void {
    const scalars = this.#scalars;
    for (let index = 0; index < this.#slots.length; index++) {
      if (this.#slots[index].group !== group) continue;
      this.#table.readScalars(index, scalars);
      this.prepare?.(scalars, values);
      this.#table.writeScalars(index, scalars);
    }
  }

  /** @internal Checks all, then copies all to `grads`. */
  copyGradients(grads: Gradients): void {
    this.#checkOwner();
    this.#selectUnfrozen(false);
    this.runtime.setCallbacks(IN_CALLBACK);
    try {
      readGradients(this.#incoming, grads, this.grads, this.#slots, this.#isFrozen);
    } finally {
      this.runtime.setCallbacks(null);
    }
    writeGradients(this.#incoming, this.#slots, this.runtime);
  }

  #selectUnfrozen(always: boolean): void {
    let changed = always;
    for (let index = 0; index < this.#groups.length; index++) {
      const { frozen } = this.#groups[index];
      if (this.#frozen[index] === frozen) continue;
      this.#frozen[index] = frozen;
      changed = true;
    }
    if (changed) this.#table.select(this.#isFrozen);
  }

  #finish(result: StepResult): StepResult {
    const { status, gradNorm } = this.#table;
    this.#endStep(status === STATUS_DONE ? 'accepted' : 'refused');
    // First what the optimizer itself keeps: the result may have setters.
    if (status === STATUS_DONE) this.#stepCount++;
    result.gradNorm = gradNorm;
    result.step = this.#stepCount;
    result.skipped = false;
    result.nonFinite = 0;
    result.reason = null;
    return status === STATUS_DONE ? result : this.#refuseAll(result, status);
  }

  #refuseAll(result: StepResult, status: number): StepResult {
    const nonFinite = status === STATUS_NON_FINITE;
    let offender: Slot | null = nonFinite ? null : this.#slots[this.#table.offender];
    let total = 0;
    for (const slot of this.#slots) {
      if (!nonFinite || slot.rows || this.#groups[slot.group].frozen) continue;
      const count = countNonFinite(slot.parameter.grad.data);
      total += count;
      if (count > 0) offender ??= slot;
    }
    return this.#refuse(
      result,
      status,
      offender,
      total,
      this.#table.normLimit(offender?.group ?? 0),
    );
  }

  /** @param normLimit of the offender's group */
  #refuse(
    result: StepResult,
    status: number,
    offender: Slot | null,
    nonFinite: number,
    normLimit: number,
  ): StepResult {
    const reason = status === STATUS_NON_FINITE ? 'non-finite' : 'overflow';
    const skip = this.#onNonFinite === 'skip';
    if (skip) this.#skippedSteps++;
    result.skipped = true;
    result.nonFinite = nonFinite;
    result.reason = reason;
    if (skip) return result;
    throw new NonFiniteGradientError(
      reason,
      offender?.group ?? 0,
      offender?.name ?? '',
      nonFinite,
      normLimit,
    );
  }

  #noteFailure(error: unknown): unknown {
    this.#endStep('failed');
    if (error instanceof StepAbortedError) this.#aborted = error.message;
    return error;
  }

  #stateParts() {
    const compact = this.#slots.some(({ format }) => format !== FORMAT_F32);
    const options = compact ? { ...this.#options, seed: this.#seed } : this.#options;
    return {
      rule: this.#rule,
      options,
      step: this.#stepCount,
      groups: this.#groups,
      slots: this.#slots,
      table: this.#table,
    };
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

/** Powers of them stay 1. */
const NO_BETAS: Betas = [1, 1];
