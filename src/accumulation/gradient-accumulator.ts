/**
 * Gradient accumulation: one step from the gradients of several micro-batches.
 *
 * Invariant: a call that throws an ArgumentError or OutOfMemoryError has added nothing. A window
 * ends with its step, whether that is accepted or refused.
 */
import { ArgumentError } from '../errors';
import type { Optimizer } from '../optimizers/optimizer';
import { emptyResult, type Gradients, type StepResult } from '../optimizers/step-result';
import { checkFloats } from '../tensors/parameter';
import { ShadowTensors } from '../tensors/shadow-tensors';
import { createRecord } from '../tensors/views';
import {
  checkChoice,
  checkInteger,
  checkNumber,
  checkObject,
  checkOptimizer,
  checkOptions,
  fail,
} from '../validate';

/** Options of `GradientAccumulator`. */
export interface GradientAccumulatorOptions {
  /** Number of micro-batches in a window, each one call of `add`: an integer in [1, 2^24]. */
  steps: number;
  /**
   * How to combine the gradients of a window. 'mean' gives the gradient of one large batch whose
   * loss is a mean; 'sum' gives their sum.
   * @default 'mean'
   */
  reduction?: 'mean' | 'sum';
}

/** State dict of an accumulator, with its incomplete window: plain data, and copies. */
export interface GradientAccumulatorStateDict {
  /** Version of this schema. */
  version: 1;
  /** Reduction of the accumulator. */
  reduction: 'mean' | 'sum';
  /** Number of micro-batches in the window. */
  count: number;
  /** Sums by parameter name; empty between windows. */
  sums: Record<string, AccumulatedGradient>;
}

/** One parameter's part of a window. */
export interface AccumulatedGradient {
  /** Number of micro-batches in which the parameter was trained. */
  count: number;
  /** Sum of their weights. */
  weight: number;
  /** Mean or sum of their gradients. */
  data: Float32Array;
}

/** Most micro-batches in a window: their number must be exact in float32. */
const MAX_STEPS = 2 ** 24;

/**
 * Accumulates the gradients of `steps` micro-batches, then steps the optimizer with their mean or
 * sum:
 *
 *     mean:  ḡ ← ḡ - (ḡ - g)·w/W, W = Σ w so far, from ḡ = g         sum:  ḡ ← ḡ + g
 *
 * in float32 and in the order of the calls. The weight w is 1 unless `add` receives another one.
 * The running mean of equal gradients is exact, and it overflows only where they do. An accumulator
 * takes 4 bytes per parameter element, until `dispose`.
 *
 * - Each parameter is averaged over the micro-batches in which it was trained: if it is unfrozen or
 *   added in the middle of a window, over the rest of the window. Gradients of frozen parameters
 *   are ignored.
 * - A window ends with its step, even if that is skipped or throws; the next `add` begins a new
 *   one. The accumulated gradient stays in `optimizer.grads`, so that `optimizer.step()` can repeat
 *   the step. A NaN or Infinity in any micro-batch reaches the step, which handles it as
 *   `onNonFinite` says.
 * - Schedules and the optimizer's step count advance once per step, not per micro-batch. Clipping
 *   applies to the accumulated gradient.
 *
 * @example
 * const optimizer = new AdaL(await createRuntime(), { w: new Float32Array(10) });
 * const accumulator = new GradientAccumulator(optimizer, { steps: 4 });
 * for (let batch = 1; batch <= 10; batch++) {
 *   optimizer.grads.w.fill(1 / batch);
 *   accumulator.add(); // null, except for batches 4 and 8
 * }
 * accumulator.flush(); // a step with batches 9 and 10
 * @see optax.MultiSteps
 */
export class GradientAccumulator {
  /** Optimizer that the accumulator steps. */
  readonly optimizer: Optimizer;
  /** Number of micro-batches in a window. */
  readonly steps: number;
  /** How the gradients of a window are combined. */
  readonly reduction: 'mean' | 'sum';
  readonly #sums: ShadowTensors;
  /** Number of micro-batches in each parameter's sum. */
  readonly #counts: number[] = [];
  /** Sum of their weights. */
  readonly #weights: number[] = [];
  #count = 0;

  /**
   * @param optimizer an optimizer without sparse parameters
   * @throws ArgumentError for options out of range
   * @throws OutOfMemoryError if the sums do not fit in memory; nothing stays allocated then
   */
  constructor(optimizer: Optimizer, options: GradientAccumulatorOptions) {
    checkOptimizer('optimizer', optimizer);
    checkOptions('options', options, ['steps', 'reduction']);
    this.steps = checkInteger('steps', options.steps, 1, MAX_STEPS);
    this.reduction = checkChoice('reduction', options.reduction ?? 'mean', ['mean', 'sum']);
    for (const { name, parameter } of optimizer.registered) {
      if (parameter.sparse)
        throw new ArgumentError(
          'optimizer',
          'one without sparse parameters',
          `one with ${JSON.stringify(name)}`,
        );
    }
    this.optimizer = optimizer;
    this.#sums = new ShadowTensors(
      optimizer.runtime,
      () => optimizer.registered,
      'the gradient accumulator',
    );
    this.#follow();
  }

  /** Number of micro-batches in the incomplete window: 0 to steps - 1. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a micro-batch: the gradients in `optimizer.grads`, or the given ones, which are copied
   * there first.
   * @param grads gradients of all unfrozen parameters, by name
   * @param weight weight of the micro-batch in the mean of its window, such as its number of
   * samples: a finite number > 0, by default 1. Has no effect on sums.
   * @returns the result of the step if this call completed a window, otherwise null
   * @throws ArgumentError for gradients or a weight that do not fit; nothing has been added then.
   * If the window is complete, also the errors of `optimizer.step`
   */
  add(grads?: Gradients, weight = 1): StepResult | null {
    return this.#gather(grads, weight) ? this.optimizer.step() : null;
  }

  /**
   * Adds a micro-batch as `add` does, and writes the result of the step into `result`. Allocates
   * nothing.
   * @returns whether this call completed a window and stepped
   */
  addInto(result: StepResult, grads?: Gradients, weight = 1): boolean {
    const complete = this.#gather(grads, weight);
    if (complete) this.optimizer.stepInto(result);
    return complete;
  }

  /** Adds a micro-batch as `add` does, and steps with `optimizer.stepAsync`. */
  async addAsync(grads?: Gradients, weight = 1): Promise<StepResult | null> {
    return this.#gather(grads, weight) ? this.optimizer.stepAsync() : null;
  }

  /**
   * Steps with the mean or sum of an incomplete window. A parameter that was trained in none of its
   * micro-batches gets gradient 0.
   * @returns the result of the step; null if the window is empty
   * @throws the errors of `optimizer.step`
   */
  flush(): StepResult | null {
    this.#follow();
    if (this.#count === 0) return null;
    const { registered, paramGroups } = this.optimizer;
    for (const [index, { group, parameter }] of registered.entries()) {
      if (paramGroups[group].frozen) continue;
      if (this.#counts[index] > 0) parameter.grad.data.set(this.#sums.tensors[index].data);
      else parameter.grad.data.fill(0);
    }
    this.reset();
    return this.optimizer.stepInto(emptyResult());
  }

  /** Discards the incomplete window. */
  reset(): void {
    this.#sums.check();
    this.#count = 0;
    this.#counts.fill(0);
    this.#weights.fill(0);
  }

  /** Returns a copy of the incomplete window, for resuming in the middle of it bit for bit. */
  stateDict(): GradientAccumulatorStateDict {
    this.#follow();
    const sums = createRecord<AccumulatedGradient>();
    for (const [index, { name }] of this.#sums.parameters.entries()) {
      const { data } = this.#sums.tensors[index];
      if (this.#count > 0) {
        sums[name] = {
          count: this.#counts[index],
          weight: this.#weights[index],
          data: data.slice(),
        };
      }
    }
    return { version: 1, reduction: this.reduction, count: this.#count, sums };
  }

  /**
   * Loads a state dict that `stateDict` returned.
   * @throws ArgumentError naming the key that does not fit; nothing has changed then
   */
  loadStateDict(dict: GradientAccumulatorStateDict): void {
    this.prepareLoad(dict, 'stateDict')();
  }

  /**
   * @internal Checks a state dict and returns the function that loads it, which cannot fail.
   * @param path what errors call the dict
   * @throws ArgumentError naming the key that does not fit
   */
  prepareLoad(dict: unknown, path: string): () => void {
    this.#follow();
    const { version, reduction, count, sums } = checkObject(path, dict);
    if (version !== 1) fail(`${path}.version`, '1', version);
    if (reduction !== this.reduction) fail(`${path}.reduction`, `'${this.reduction}'`, reduction);
    const batches = checkInteger(`${path}.count`, count, 0, this.steps - 1);
    const given = batches === 0 ? [] : this.#sums.match(`${path}.sums`, sums);
    const loaded = given.map((sum, index) => this.#readSum(`${path}.sums`, index, sum, batches));
    return () => {
      this.reset();
      this.#count = batches;
      for (const [index, sum] of loaded.entries()) {
        this.#counts[index] = sum.count;
        this.#weights[index] = sum.weight;
        this.#sums.tensors[index].data.set(sum.data);
      }
    };
  }

  /** Checks the sum of a parameter in a window of so many micro-batches. */
  #readSum(path: string, index: number, value: unknown, batches: number): AccumulatedGradient {
    const { name } = this.#sums.parameters[index];
    const sum = checkObject(`${path}.${name}`, value);
    const count = checkInteger(`${path}.${name}.count`, sum.count, 0, batches);
    const fits = (weight: number) => (count === 0 ? weight === 0 : weight > 0);
    const interval = count === 0 ? '[0, 0]' : '(0, ∞)';
    const weight = checkNumber(`${path}.${name}.weight`, sum.weight, interval, fits);
    const { length } = this.#sums.tensors[index];
    const data = checkFloats(`${path}.${name}.data`, sum.data, this.optimizer.runtime, length);
    return { count, weight, data };
  }

  /** Frees the accumulator's memory, but not the optimizer's. */
  dispose(): void {
    this.#sums.dispose();
  }

  /**
   * Adds one micro-batch.
   * @returns whether it completed a window, whose gradient is now in `optimizer.grads`
   */
  #gather(grads: Gradients | undefined, weight: number): boolean {
    checkNumber('weight', weight, '(0, ∞)', (value) => value > 0);
    this.#follow();
    if (grads !== undefined) this.optimizer.copyGradients(grads);
    const { registered, paramGroups } = this.optimizer;
    const complete = this.#count + 1 === this.steps;
    for (let index = 0; index < registered.length; index++) {
      if (!paramGroups[registered[index].group].frozen) this.#addOne(index, weight, complete);
    }
    if (complete) this.reset();
    else this.#count++;
    return complete;
  }

  /**
   * Adds a parameter's gradient to its sum; the last one of a window adds the sum to the gradient.
   */
  #addOne(index: number, weight: number, last: boolean): void {
    const { grad } = this.optimizer.registered[index].parameter;
    const sum = this.#sums.tensors[index];
    const count = ++this.#counts[index];
    const whole = (this.#weights[index] += weight);
    if (count === 1) {
      if (!last) sum.data.set(grad.data);
      return;
    }
    const { address } = last ? grad : sum;
    const { kernels } = this.optimizer.runtime;
    if (this.reduction === 'mean')
      kernels.combine(address, sum.address, grad.address, grad.length, 1, weight / whole);
    else kernels.combine(address, sum.address, grad.address, grad.length, 0, 1);
  }

  /** Allocates sums for parameters that `addParamGroup` has added. */
  #follow(): void {
    this.#sums.follow();
    while (this.#counts.length < this.#sums.tensors.length) {
      this.#counts.push(0);
      this.#weights.push(0);
    }
  }
}
