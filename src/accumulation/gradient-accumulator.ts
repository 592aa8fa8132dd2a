/**
 * Gradient accumulation: several micro-batches make one step.
 *
 * Invariant: a call that throws for wrong arguments or for want of memory has added nothing. A
 * window ends with its step, whatever comes of that.
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
  checkOptimizer,
  checkOptions,
  fail,
} from '../validate';

export interface GradientAccumulatorOptions {
  /** Micro-batches a window, each one call of `add`: an integer ≥ 1. */
  steps: number;
  /**
   * 'mean': the step is taken with the mean of the window's gradients, as one large batch whose
   * loss is a mean would have it; 'sum': with their sum.
   * @default 'mean'
   */
  reduction?: 'mean' | 'sum';
}

/** A window under way: plain data, and copies. */
export interface AccumulatorStateDict {
  /** Of this schema. */
  version: 1;
  reduction: 'mean' | 'sum';
  /** Micro-batches added. */
  count: number;
  /**
   * By parameter name: how many of them it took part in, what these weigh, and their mean or sum.
   * Empty between windows.
   */
  sums: Record<string, { count: number; weight: number; data: Float32Array }>;
}

/** Micro-batches that a window may have: the count of each stays exact in float32. */
const MAX_STEPS = 2 ** 24;

/**
 * Adds up the gradients of `steps` micro-batches, then steps with their mean or sum:
 *
 *     mean:  ḡ ← ḡ - (ḡ - g)·w/W, W = Σ w so far, from ḡ = g         sum:  ḡ ← ḡ + g
 *
 * in float32 and in the order of the calls. w is 1 unless `add` is told another weight, and W then
 * the count of micro-batches. The running mean keeps equal gradients exactly and overflows no
 * sooner than they do. It takes 4 bytes a parameter besides the optimizer's own memory.
 *
 * - Each parameter counts the micro-batches it took part in: one that is unfrozen or added in the
 *   middle of a window has the mean over the rest of it. Gradients of frozen parameters are not looked at.
 * - A window ends with its step, be that accepted, skipped or refused with an error: the next `add`
 *   begins a new one. What the step was taken with lies in `optimizer.grads`, so that `optimizer.step()` can repeat it. A NaN or Infinity in any micro-batch
 *   reaches the step, which then does as `onNonFinite` says.
 * - Schedules and the optimizer's step count go by steps, not by micro-batches; clipping sees what
 *   the window came to.
 *
 * @example
 * const optimizer = new AdaL(await createRuntime(), { w: new Float32Array(10) });
 * const accumulator = new GradientAccumulator(optimizer, { steps: 4 });
 * for (let batch = 1; batch <= 10; batch++) {
 *   optimizer.grads.w.fill(1 / batch);
 *   accumulator.add(); // null, but for batches 4 and 8
 * }
 * accumulator.flush(); // a step with batches 9 and 10
 * @see optax.MultiSteps
 */
export class GradientAccumulator {
  readonly optimizer: Optimizer;
  readonly steps: number;
  readonly reduction: 'mean' | 'sum';
  readonly #sums: ShadowTensors;
  /** By parameter: the micro-batches that are in its sum. */
  readonly #counts: number[] = [];
  /** By parameter: what they weigh. */
  readonly #weights: number[] = [];
  #count = 0;

  /**
   * @throws ArgumentError for options out of range
   * @throws OutOfMemoryError; nothing stays allocated then
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

  /** Micro-batches of the window under way: 0 to steps - 1. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds the gradients in `optimizer.grads`, or those given, which are copied there first.
   * @param grads every unfrozen parameter's gradient, by name
   * @param weight what the micro-batch counts in the mean of its window, such as its number of
   * samples: a finite number > 0.
   * Of no effect on sums. @default 1
   * @returns what the step did if this call completed a window, otherwise null
   * @throws ArgumentError for another weight, and what `optimizer.step` throws
   */
  add(grads?: Gradients, weight = 1): StepResult | null {
    return this.#gather(grads, weight) ? this.optimizer.step() : null;
  }

  /**
   * The same, writing into the caller's result if it steps: allocates nothing. @returns whether it
   * stepped
   */
  addInto(result: StepResult, grads?: Gradients, weight = 1): boolean {
    const complete = this.#gather(grads, weight);
    if (complete) this.optimizer.stepInto(result);
    return complete;
  }

  /** The same with `optimizer.stepAsync`. */
  async addAsync(grads?: Gradients, weight = 1): Promise<StepResult | null> {
    return this.#gather(grads, weight) ? this.optimizer.stepAsync() : null;
  }

  /**
   * Steps now with the micro-batches that an incomplete window has: their mean, or their sum. A
   * parameter that took part in none of them has gradient 0.
   * @returns null if there are none
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

  /** Forgets the window under way. */
  reset(): void {
    this.#sums.check();
    this.#count = 0;
    this.#counts.fill(0);
    this.#weights.fill(0);
  }

  /** The window under way, for resuming in its middle bit for bit. */
  stateDict(): AccumulatorStateDict {
    this.#follow();
    const sums = createRecord<AccumulatorStateDict['sums'][string]>();
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
   * Takes over what `stateDict` returned.
   * @throws ArgumentError naming the key that does not fit; nothing has changed then
   */
  loadStateDict(dict: AccumulatorStateDict): void {
    this.#follow();
    if (typeof dict !== 'object' || dict === null) fail('stateDict', 'an object', dict);
    if (dict.version !== 1) fail('stateDict.version', '1', dict.version);
    if (dict.reduction !== this.reduction)
      fail('stateDict.reduction', `'${this.reduction}'`, dict.reduction);
    checkInteger('stateDict.count', dict.count, 0, this.steps - 1);
    const sums = dict.count === 0 ? [] : this.#sums.match('stateDict.sums', dict.sums);
    for (const [index, sum] of sums.entries()) {
      const path = `stateDict.sums.${this.#sums.parameters[index].name}`;
      const count = checkInteger(`${path}.count`, sum?.count, 0, dict.count);
      const fits = (weight: number) => (count === 0 ? weight === 0 : weight > 0);
      checkNumber(`${path}.weight`, sum.weight, count === 0 ? '[0, 0]' : '(0, ∞)', fits);
      checkFloats(
        `${path}.data`,
        sum.data,
        this.optimizer.runtime,
        this.#sums.tensors[index].length,
      );
    }
    this.reset();
    this.#count = dict.count;
    for (const [index, { count, weight, data }] of sums.entries()) {
      this.#counts[index] = count;
      this.#weights[index] = weight;
      this.#sums.tensors[index].data.set(data);
    }
  }

  /** Frees the memory; the optimizer stays. */
  dispose(): void {
    this.#sums.dispose();
  }

  /**
   * Adds one micro-batch. True: it completes a window, whose result lies in `optimizer.grads` now.
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

  /** Adds a parameter's gradient to its sum; the last one of a window the other way round. */
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

  /** Looks for parameters that came with `addParamGroup`. */
  #follow(): void {
    this.#sums.follow();
    while (this.#counts.length < this.#sums.tensors.length) {
      this.#counts.push(0);
      this.#weights.push(0);
    }
  }
}
