/**
 * Preparation of a step: gradients and learning rates are read, which may run code of the
 * user's, then the scalars of every group and tensor are written into the step table.
 *
 * Invariant: whatever may throw for a wrong argument runs before gradients are copied, and writes
 * nothing but the table, which the next step writes anew.
 */
import type { Runtime } from '../runtime/runtime';
import type { TensorViews } from '../tensors/views';
import type { Algorithm } from './declaration';
import { type BaseHyperparameters, checkDecay } from './hyperparameters';
import { learningRateAt, OWN_MOMENTUM, type ParamGroup, scheduledMomentum } from './param-group';
import type { RegisteredParameter } from './registered-parameter';
import { type Gradients, readGradients, writeGradients } from './step-result';
import { StepScalars } from './step-scalars';
import type { StepTable } from './step-table';

/** When callbacks run, as errors say it. */
export const IN_CALLBACK =
  'inside a callback that an optimizer waits for, ' +
  'such as a learning rate function or a getter of its arguments';

/** The optimizer whose steps are prepared. */
export interface PreparedOptimizer<H extends BaseHyperparameters> {
  readonly runtime: Runtime;
  readonly algorithm: Algorithm<H>;
  readonly table: StepTable;
  readonly groups: readonly ParamGroup<H>[];
  readonly parameters: readonly RegisteredParameter[];
  readonly grads: TensorViews;
}

export class StepPreparation<H extends BaseHyperparameters> {
  readonly #optimizer: PreparedOptimizer<H>;
  readonly #scalars = new StepScalars();
  /** Frozen flags, by group, that the table's lists were made for. */
  readonly #frozen: boolean[] = [];
  /** Each group's learning rate of the coming step. */
  readonly #rates: number[] = [];
  /** Each group's scheduled momentum of the coming step, or OWN_MOMENTUM. */
  readonly #momenta: number[] = [];
  /** Gradients that were read and not copied yet, by parameter. */
  readonly #incoming: (Float32Array | null)[] = [];
  /** Made once: a closure in a method that every step calls costs it an allocation. */
  readonly #isFrozen = (group: number) => this.#frozen[group];
  /** By group: rate, momentum and hyperparameters that its limit was last checked for. */
  #limitedRates = new Float64Array(0);
  #limitedMomenta = new Float64Array(0);
  readonly #limitedValues: (Readonly<H> | null)[] = [];

  constructor(optimizer: PreparedOptimizer<H>) {
    this.#optimizer = optimizer;
  }

  /** Takes in new groups and parameters, of which the table may have moved. */
  extend(): void {
    this.#limitedValues.fill(null);
    this.#limitedRates = new Float64Array(this.#optimizer.groups.length);
    this.#limitedMomenta = new Float64Array(this.#optimizer.groups.length);
    this.#selectUnfrozen(true);
  }

  /**
   * Prepares a step.
   * @param step the optimizer's step to come, 1-based
   * @param grads gradients to copy first; undefined where they lie in `grads` already
   */
  prepare(step: number, grads: Gradients | undefined): void {
    const { groups, parameters, runtime } = this.#optimizer;
    this.#scalars.optimizerStep = step;
    this.#selectUnfrozen(false);
    let callbacks = grads !== undefined;
    for (let index = 0; index < groups.length; index++) {
      const { lr } = groups[index].hyperparameters;
      this.#momenta[index] = OWN_MOMENTUM;
      if (typeof lr === 'number') this.#rates[index] = lr;
      else callbacks = true;
    }
    if (callbacks) this.#runCallbacks(step, grads);
    for (let index = 0; index < groups.length; index++) {
      if (!this.#frozen[index]) this.#prepareGroup(index, groups[index].hyperparameters);
    }
    if (grads !== undefined) writeGradients(this.#incoming, parameters, runtime);
  }

  /** Copies gradients to where steps read them, or none of them if any does not fit. */
  copyGradients(grads: Gradients): void {
    const { runtime, parameters } = this.#optimizer;
    this.#selectUnfrozen(false);
    runtime.setCallbacks(IN_CALLBACK);
    try {
      readGradients(this.#incoming, grads, this.#optimizer.grads, parameters, this.#isFrozen);
    } finally {
      runtime.setCallbacks(null);
    }
    writeGradients(this.#incoming, parameters, runtime);
  }

  /** Evaluates the learning rate and momentum of a step over rows, which may call a schedule. */
  evaluateRows(values: Readonly<H>, step: number): void {
    const scalars = this.#scalars;
    scalars.optimizerStep = step;
    scalars.lr = this.#rateAt(values, step);
    this.#writeMomentum(scheduledMomentum(values, step), values);
  }

  /**
   * Prepares a step over gathered rows, after `evaluateRows`: a table of its own, with one group
   * and one tensor.
   */
  prepareRows(table: StepTable, values: Readonly<H>): void {
    const { algorithm } = this.#optimizer;
    const scalars = this.#scalars;
    this.#choose(table, 0, values);
    this.#writeValues(table, 0, values);
    if (!algorithm.prepare) return;
    scalars.rows = scalars.columns = 0;
    table.readScalars(0, scalars);
    algorithm.prepare(scalars, values);
    table.writeScalars(0, scalars);
  }

  #prepareGroup(index: number, values: Readonly<H>): void {
    const { algorithm, table, parameters } = this.#optimizer;
    const scalars = this.#scalars;
    scalars.lr = this.#rates[index];
    this.#writeMomentum(this.#momenta[index], values);
    if (
      this.#limitedRates[index] !== scalars.lr ||
      this.#limitedMomenta[index] !== scalars.momentum ||
      this.#limitedValues[index] !== values
    ) {
      this.#choose(table, index, values);
      this.#limitedRates[index] = scalars.lr;
      this.#limitedMomenta[index] = scalars.momentum;
      this.#limitedValues[index] = values;
    }
    this.#writeValues(table, index, values);
    if (!algorithm.prepare) return;
    for (let i = 0; i < parameters.length; i++) {
      if (parameters[i].group !== index) continue;
      const { columns, parameter } = parameters[i];
      scalars.columns = columns;
      scalars.rows = columns > 0 ? parameter.value.length / columns : 0;
      table.readScalars(i, scalars);
      if (scalars.step === 1) algorithm.begin?.(parameters[i]);
      algorithm.prepare(scalars, values);
      table.writeScalars(i, scalars);
    }
  }

  /** Returns the learning rate of a group's step, which may be what a callback returns. */
  #rateAt(values: Readonly<H>, step: number): number {
    const lr = learningRateAt(values, step);
    checkDecay(lr, values.weightDecay, '');
    return lr;
  }

  /** Writes a group's momentum: that of its schedule, unless it is OWN_MOMENTUM. */
  #writeMomentum(scheduled: number, values: Readonly<H>): void {
    if (scheduled !== OWN_MOMENTUM) this.#scalars.momentum = scheduled;
    else this.#optimizer.algorithm.writeMomentum?.(this.#scalars, values);
  }

  /** Writes which kernel updates a group's tensors, and the limit of their gradient norms. */
  #choose(table: StepTable, index: number, values: Readonly<H>): void {
    const { algorithm } = this.#optimizer;
    const { id } = algorithm.kernelOf?.(values) ?? algorithm.kernels[0];
    algorithm.limit(this.#scalars, values);
    table.setKernel(index, id);
    table.setNormLimit(index, this.#scalars);
  }

  /** Writes what a group tells its kernel. */
  #writeValues(table: StepTable, index: number, values: Readonly<H>): void {
    const { algorithm } = this.#optimizer;
    if (!algorithm.writeValues) return;
    algorithm.writeValues(table.values, this.#scalars, values);
    table.setValues(index);
  }

  /** Reads gradients and learning rates. */
  #runCallbacks(step: number, grads: Gradients | undefined): void {
    const { runtime, groups, parameters } = this.#optimizer;
    runtime.setCallbacks(IN_CALLBACK);
    try {
      if (grads !== undefined)
        readGradients(this.#incoming, grads, this.#optimizer.grads, parameters, this.#isFrozen);
      for (let index = 0; index < groups.length; index++) {
        const values = groups[index].hyperparameters;
        if (this.#frozen[index] || typeof values.lr === 'number') continue;
        this.#rates[index] = this.#rateAt(values, step);
        this.#momenta[index] = scheduledMomentum(values, step);
      }
    } finally {
      runtime.setCallbacks(null);
    }
  }

  /** Lists the tensors of unfrozen groups anew, where a group's flag has changed. */
  #selectUnfrozen(always: boolean): void {
    const { groups, table } = this.#optimizer;
    let changed = always;
    for (let index = 0; index < groups.length; index++) {
      const { frozen } = groups[index];
      if (this.#frozen[index] === frozen) continue;
      this.#frozen[index] = frozen;
      changed = true;
    }
    if (changed) table.select(this.#isFrozen);
  }
}
