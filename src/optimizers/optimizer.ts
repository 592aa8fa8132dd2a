/**
 * The base of all optimizers: named parameters in linear memory, groups, the atomic step, the state
 * dict.
 *
 * Invariant: a step is accepted as a whole or not at all. Whatever throws or is skipped, be it a
 * wrong argument, a non-finite gradient or a worker lost before the update, leaves every parameter
 * and every bit of state as it was.
 *
 * The user's code runs inside a step in two places: getters of the gradients, and learning rate
 * functions. All of it runs before anything is written, and meanwhile the runtime refuses whatever
 * would allocate, free, step or load.
 */
import { ArgumentError, type NonFiniteGradientError } from '../errors';
import { FORMAT_F32, STATUS_DONE } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import { createRecord, defineView, type TensorViews } from '../tensors/views';
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkRuntime,
  copyOptions,
  describe,
} from '../validate';
import { OptimizerAccess } from './access';
import { checkClipping, clippingOptions, copyClipping } from './clipping';
import {
  type Algorithm,
  COMMON_OPTIONS,
  type CommonOptions,
  type OptimizerDeclaration,
} from './declaration';
import {
  type BaseHyperparameters,
  checkFields,
  defaultsOf,
  type Fields,
  type FixedOptions,
} from './hyperparameters';
import { memoryOf, type OptimizerMemory } from './memory';
import type { ParamGroup, ParamGroupInit, ParamsInit } from './param-group';
import { refusalOf } from './refusal';
import { type RegisteredParameter, releaseParameter } from './registered-parameter';
import {
  allocateParameters,
  checkNewGroups,
  checkTogether,
  type GivenGroups,
  listGroups,
  type RegisteringOptimizer,
} from './registration';
import { snapshot } from './snapshot';
import type { RowIndices } from './sparse-rows';
import {
  applyStateDict,
  type LoadOptions,
  readStateDict,
  type StateDict,
  type StateParts,
} from './state-dict';
import { IN_CALLBACK, StepPreparation } from './step-preparation';
import {
  checkResult,
  emptyResult,
  type Gradients,
  type StepResult,
  writeResult,
} from './step-result';
import { StepTable, type TableOptions } from './step-table';

/**
 * An optimizer: parameters, gradients and state in the linear memory of a runtime, and steps over
 * all of them at once. Create one by its class or by `createOptimizer`.
 *
 * Gradients are written into `grads`, or passed to `step`; `params` holds the result. An optimizer
 * frees what it allocated when it is disposed of; a program exits normally even if you never call
 * `dispose`.
 *
 * @typeParam H hyperparameters that a param group can override
 * @typeParam Names names of the parameters, as far as the compiler knows them
 * @typeParam Options options of its constructor
 * @example
 * const optimizer = new AdaL(await createRuntime(), { w: new Float32Array([1, 2, 3]) });
 * optimizer.grads.w.set([0.1, 0, -0.2]);
 * const { step, gradL1Norm } = optimizer.step();
 */
export abstract class Optimizer<
  H extends BaseHyperparameters = BaseHyperparameters,
  Names extends string = string,
  Options extends object = CommonOptions<H> & Partial<H>,
> {
  /** @internal The OptimizerDeclaration of the class. */
  static readonly declaration: object;
  /** Runtime whose linear memory holds the optimizer. */
  readonly runtime: Runtime;
  /**
   * Live views of the parameters, by name. A view is valid until something allocates: read it from
   * here each time.
   */
  readonly params: TensorViews<Names> = createRecord<Float32Array>() as TensorViews<Names>;
  /**
   * Live views of the gradients, by name. Written here, gradients need not be copied by `step`.
   * Sparse parameters have none.
   */
  readonly grads: TensorViews<Names> = createRecord<Float32Array>() as TensorViews<Names>;
  readonly #declaration: { readonly name: string; readonly fields: Fields<H> };
  readonly #algorithm: Algorithm<H>;
  readonly #defaults: H;
  readonly #seed: number;
  readonly #options: FixedOptions;
  readonly #onNonFinite: 'throw' | 'skip';
  readonly #table: StepTable;
  readonly #tableOptions: TableOptions;
  readonly #groups: ParamGroup<H>[] = [];
  readonly #parameters: RegisteredParameter[] = [];
  readonly #preparation: StepPreparation<H>;
  readonly #access: OptimizerAccess;
  readonly #check = () => this.check();
  /** The result that the last `stepInto` wrote. */
  #lastResult: StepResult | null = null;
  #stepCount = 0;
  #skippedSteps = 0;
  #ownsRuntime = false;

  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for an argument out of range; OutOfMemoryError when parameters, gradients
   * and state do not fit: nothing stays allocated then
   */
  constructor(runtime: Runtime, params: ParamsInit<H, Names>, options: Options = {} as Options) {
    const declaration = new.target.declaration as OptimizerDeclaration<H, never>;
    const { name, fields, options: own = [] } = declaration;
    const names = [...Object.keys(fields), ...own, ...COMMON_OPTIONS];
    const given = copyOptions('options', options, names) as CommonOptions & Partial<H>;
    const algorithm = declaration.algorithm(given as never);
    this.runtime = checkRuntime('runtime', runtime);
    this.#declaration = { name, fields };
    this.#algorithm = algorithm;
    this.#access = new OptimizerAccess(name, runtime, this.#parameters);
    this.#onNonFinite = checkChoice('onNonFinite', given.onNonFinite ?? 'throw', ['throw', 'skip']);
    this.#seed = checkInteger('seed', given.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
    const clips = copyClipping(given);
    const initialScalars = Object.values(algorithm.scalars ?? {}).map(({ initial }) => initial);
    const { matrices } = algorithm;
    this.#tableOptions = { initialScalars, clipping: checkClipping(clips), matrices };
    this.#options = { ...algorithm.options, ...clippingOptions(clips) };
    this.#table = new StepTable(runtime, this.#tableOptions);
    this.#preparation = new StepPreparation({
      runtime,
      algorithm,
      table: this.#table,
      groups: this.#groups,
      parameters: this.#parameters,
      grads: this.grads,
    });
    this.check();
    this.#defaults = checkFields(fields, given, defaultsOf(fields), '');
    this.#checkTogether(this.#defaults, '');
    this.#addGroups(listGroups(params, given.groups));
  }

  /**
   * Live views of the parameters to evaluate with: `params`, unless the algorithm evaluates an
   * average of them, as Schedule-Free AdamW does.
   */
  get evaluationParams(): TensorViews<Names> {
    return this.params;
  }

  /** Name of the algorithm, as `createOptimizer` takes it. */
  get name(): string {
    return this.#declaration.name;
  }

  /** Accepted steps. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** Steps refused because of their gradients under `onNonFinite: 'skip'`. */
  get skippedSteps(): number {
    return this.#skippedSteps;
  }

  /** The param groups, whose hyperparameters may be changed between steps. */
  get paramGroups(): readonly ParamGroup<H>[] {
    return this.#groups;
  }

  /**
   * Takes one step with the gradients in `grads`, or with those given, which are copied there
   * first.
   *
   * A step is refused with reason 'overflow' if its numbers could exceed the range of float32. Most
   * optimizers refuse gradients in which the L1 norm of a parameter is 2^63 or more, because
   * squares would overflow. The limit of SGD is 2^120/lr (less with momentum), that of AdaMax
   * 2^120 and that of Lion 2^127; AdaL refuses only gradients for which its ε term would overflow.
   *
   * @param grads the gradient of every unfrozen parameter, by name
   * @throws NonFiniteGradientError for a non-finite gradient or an overflow, unless `onNonFinite`
   * is 'skip'
   * @throws ArgumentError for gradients that do not fit, or a learning rate out of range
   * @throws BusyError inside a callback of a step, or while a `stepAsync` is running
   * @throws DisposedError after `dispose` of the optimizer, or of a model whose parameters it has
   */
  step(grads?: Gradients<Names>): StepResult {
    return this.stepInto(emptyResult(), grads);
  }

  /**
   * Takes one step and writes its result into `result`: allocates nothing.
   * @throws ArgumentError before the step if `result` cannot be written; otherwise the errors of
   * `step`
   */
  stepInto(result: StepResult, grads?: Gradients<Names>): StepResult {
    // A result that was writable once still is, unless it has been frozen since.
    if (this.#lastResult !== null && result === this.#lastResult) result.step = this.#stepCount;
    else checkResult(result);
    this.#lastResult = result;
    this.#begin(grads);
    try {
      this.runtime.step(this.#table.address, this.#table.elementCount);
    } catch (error) {
      throw this.#access.noteFailure(error);
    }
    return this.#finish(result);
  }

  /**
   * Takes one step without blocking this thread for long. Until the promise resolves, `params`,
   * `grads` and `step` throw BusyError.
   */
  async stepAsync(grads?: Gradients<Names>): Promise<StepResult> {
    this.#begin(grads);
    try {
      await this.runtime.stepAsync(this.#table.address, this.#table.elementCount);
    } catch (error) {
      throw this.#access.noteFailure(error);
    }
    return this.#finish(emptyResult());
  }

  /**
   * Updates some rows of a sparse parameter, created as `{ shape: [rows, …], sparse: true }`: no
   * other row is read or written. The moments and weights of rows without gradients do not decay,
   * as they would in a dense step (lazy moments).
   *
   * The parameter has a step count of its own, which determines bias corrections, learning rate and
   * AdaL's 1/√t; `step()` does not change the parameter. Norms, for AdaL and for clipping, are over
   * the given rows. If every call gives all rows, weights have the bits of dense steps.
   *
   * @param name name of the parameter
   * @param rowIndices integers in [0, rows), in any order; gradients of the same row are added in
   * their order
   * @param grads one row of gradients for every index: rowIndices.length × (elements of a row)
   * @returns the outcome; its `step` counts the parameter's own steps
   * @throws ArgumentError for rows, gradients or a parameter that do not fit; otherwise the errors
   * of `step`. Nothing has changed then
   * @example
   * const params = { words: { shape: [100_000, 64], sparse: true } };
   * const optimizer = await createOptimizer('adamw', params);
   * optimizer.stepRows('words', [17, 4, 17], new Float32Array(3 * 64).fill(0.1));
   */
  stepRows(name: Names, rowIndices: RowIndices, grads: Float32Array): StepResult {
    this.#access.checkOwner();
    this.#access.checkIntact();
    const index = this.#parameters.findIndex((parameter) => parameter.name === name);
    const registered = this.#parameters[index];
    if (!registered?.rows) {
      const expected = 'the name of a parameter created with sparse: true';
      throw new ArgumentError('name', expected, describe(name));
    }
    const group = this.#groups[registered.group];
    if (group.frozen)
      throw new ArgumentError('name', 'a parameter of a group that is not frozen', describe(name));
    const counters = this.#table.counters(index);
    const { rows } = registered;
    let indices: Uint32Array;
    this.runtime.setCallbacks(IN_CALLBACK);
    try {
      indices = rows.checkArguments(rowIndices, grads);
      this.#preparation.evaluateRows(group.hyperparameters, counters.step + 1);
    } finally {
      this.runtime.setCallbacks(null);
    }
    rows.gather(indices, grads, counters);
    this.#preparation.prepareRows(rows.table, group.hyperparameters);
    this.runtime.step(rows.table.address, rows.table.elementCount);
    rows.scatter();
    this.#table.setCounters(index, rows.table.counters(0));
    const result = emptyResult();
    writeResult(result, this.#table.counters(index).step, rows.table.gradNorm);
    if (rows.table.status === STATUS_DONE) return result;
    return this.#refuse(
      result,
      refusalOf(rows.table, [registered], () => rows.gradient),
    );
  }

  /** Sets all gradients to zero. */
  zeroGrad(): void {
    this.check();
    for (const { parameter } of this.#parameters)
      if (!parameter.sparse) parameter.grad.data.fill(0);
  }

  /**
   * Adds a param group.
   * @throws ArgumentError, OutOfMemoryError; nothing has changed then
   */
  addParamGroup(init: ParamGroupInit<H>): ParamGroup<H> {
    this.#access.checkOwner();
    const index = this.#groups.length;
    const paths = [`paramGroups[${index}]`];
    this.#addGroups({ inits: [init], paths, inGroup: '.params' });
    return this.#groups[index];
  }

  /** Returns bytes of linear memory by purpose, padding included. */
  memory(): OptimizerMemory {
    this.check();
    return memoryOf(this.#parameters, this.#table);
  }

  /** Returns a copy of everything that the next steps depend on, except gradients: plain data. */
  stateDict(): StateDict {
    this.check();
    this.#access.checkIntact();
    const before = this.runtime.setCallbacks(IN_CALLBACK); // schedules may have state
    try {
      return readStateDict(this.#stateParts());
    } finally {
      this.runtime.setCallbacks(before);
    }
  }

  /**
   * Loads a state dict that `stateDict` returned: training then continues as if it had not stopped,
   * bit for bit. A group whose learning rate is a function keeps its function; if the function has
   * state, as `reduceOnPlateau` has, that state is loaded too.
   *
   * With `strict: false` the dict may have other groups and parameters. Parameters that only the
   * dict or only the optimizer has do not change; those that both have must agree in shape and have
   * their whole state. Each group looks for the first of its parameters that the dict has, and
   * takes the hyperparameters of the dict's group with that parameter; it keeps those that are
   * missing there. The step count becomes that of the dict.
   *
   * In either case, algorithm and fixed options must agree, and every number must be possible for
   * the algorithm: finite, second moments at or above 0, scales powers of two, exponents and
   * counters in their ranges. Arrays over a SharedArrayBuffer are copied before they are checked.
   *
   * @throws ArgumentError naming the key that does not fit; nothing has changed then
   * @example
   * const saved = optimizer.stateDict();
   * other.loadStateDict(saved);
   * larger.loadStateDict(saved, { strict: false });
   */
  loadStateDict(dict: StateDict, options: LoadOptions = {}): void {
    this.#access.checkOwner();
    this.runtime.setCallbacks(IN_CALLBACK);
    try {
      const { strict = true } = copyOptions('options', options, ['strict']);
      checkBoolean('strict', strict);
      const own = this.adaptDict(snapshot(dict) as StateDict);
      applyStateDict(this.#stateParts(), own, strict, (hyperparameters) => {
        for (const [index, values] of hyperparameters.entries())
          this.#checkTogether(values, ` (stateDict.groups[${index}])`);
        this.#algorithm.checkGroups?.(hyperparameters);
      });
      this.#stepCount = own.step;
      this.#access.noteLoaded();
    } finally {
      this.runtime.setCallbacks(null);
    }
  }

  /**
   * Frees the memory; ends the runtime too if the optimizer created it.
   * @throws BusyError inside a callback of a step, or while a `stepAsync` is running
   */
  dispose(): void {
    if (this.#access.disposed) return;
    this.#access.dispose();
    if (!this.runtime.disposed) {
      for (const parameter of this.#parameters) {
        this.detach(parameter);
        releaseParameter(parameter);
      }
      this.#table.dispose();
    }
    if (this.#ownsRuntime) this.runtime.dispose();
  }

  /** @internal The registered parameters, in order of registration. */
  get registered(): readonly RegisteredParameter[] {
    this.check();
    return this.#parameters;
  }

  /** @internal Makes the runtime end with this optimizer. */
  adoptRuntime(): void {
    this.#ownsRuntime = true;
  }

  /** @internal Copies gradients to `grads`, or none of them if any does not fit. */
  copyGradients(grads: Gradients): void {
    this.#access.checkOwner();
    this.#preparation.copyGradients(grads);
  }

  /** @internal Returns the dict as `stateDict` of this class has it. */
  protected adaptDict(dict: StateDict): StateDict {
    return dict;
  }

  /** @internal Called for every parameter once it is registered. */
  protected attach(_parameter: RegisteredParameter): void {}

  /** @internal Called before the optimizer lets go of a parameter. */
  protected detach(_parameter: RegisteredParameter): void {}

  /** @internal Returns the accepted steps of one parameter. */
  protected stepsOf(parameter: RegisteredParameter): number {
    return this.#table.counters(this.#parameters.indexOf(parameter)).step;
  }

  /** @internal Throws unless memory may be touched now. */
  protected check(): void {
    this.#access.check();
  }

  /** Throws unless a group's hyperparameters fit one another. */
  #checkTogether(values: H, where: string): void {
    checkTogether(this.#algorithm, this.name, values, where);
  }

  /** Checks everything, then allocates everything, then registers it. */
  #addGroups(given: GivenGroups<H>): void {
    const optimizer: RegisteringOptimizer<H> = {
      runtime: this.runtime,
      fields: this.#declaration.fields,
      algorithm: this.#algorithm,
      defaults: this.#defaults,
      seed: this.#seed,
      table: this.#tableOptions,
      groups: this.#groups,
      parameters: this.#parameters,
      check: (values, where) => this.#checkTogether(values, where),
    };
    const before = this.runtime.setCallbacks(IN_CALLBACK); // `match` may be a function
    let added: ReturnType<typeof checkNewGroups<H>>;
    try {
      added = checkNewGroups(optimizer, given);
    } finally {
      this.runtime.setCallbacks(before);
    }
    const { groups, checked } = added;
    const groupCount = this.#groups.length + groups.length;
    const parameters = allocateParameters(optimizer, groups, checked, (made) =>
      this.#table.describe([...this.#parameters, ...made], groupCount),
    );
    this.#register(groups, parameters);
  }

  #register(groups: readonly ParamGroup<H>[], parameters: readonly RegisteredParameter[]): void {
    this.#parameters.push(...parameters);
    this.#access.addOwners(parameters);
    this.#groups.push(...groups);
    this.#preparation.extend();
    for (const registered of parameters) {
      const { name, parameter, rows, group } = registered;
      this.#algorithm.initialise?.(registered, this.#groups[group].hyperparameters);
      this.attach(registered);
      defineView(this.params, name, parameter.value, this.#check);
      if (!rows) defineView(this.grads, name, parameter.grad, this.#check);
    }
  }

  /** Does all that can fail for wrong arguments, then writes the scalars of the step. */
  #begin(grads: Gradients | undefined): void {
    this.#access.beginStep();
    try {
      this.#preparation.prepare(this.#stepCount + 1, grads);
    } catch (error) {
      this.#access.endStep('failed');
      throw error;
    }
  }

  #finish(result: StepResult): StepResult {
    const accepted = this.#table.status === STATUS_DONE;
    this.#access.endStep(accepted ? 'accepted' : 'refused');
    // The optimizer's own fields come first: the result may have setters that throw.
    if (accepted) this.#stepCount++;
    writeResult(result, this.#stepCount, this.#table.gradNorm);
    if (accepted) return result;
    const gradientOf = ({ rows, group, parameter }: RegisteredParameter) =>
      rows || this.#groups[group].frozen ? [] : parameter.grad.data;
    return this.#refuse(result, refusalOf(this.#table, this.#parameters, gradientOf));
  }

  #refuse(result: StepResult, error: NonFiniteGradientError): StepResult {
    const skip = this.#onNonFinite === 'skip';
    if (skip) this.#skippedSteps++;
    result.skipped = true;
    result.nonFinite = error.count;
    result.reason = error.reason;
    if (skip) return result;
    throw error;
  }

  #stateParts(): StateParts<H> {
    const compact = this.#parameters.some(({ format }) => format !== FORMAT_F32);
    return {
      ...this.#declaration,
      algorithm: this.#algorithm,
      options: compact ? { ...this.#options, seed: this.#seed } : this.#options,
      step: this.#stepCount,
      groups: this.#groups,
      parameters: this.#parameters,
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
