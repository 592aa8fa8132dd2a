/**
 * The passes of recurrent layers over their steps. A layer gives its cell, which computes one step.
 *
 * A pass multiplies all inputs by the input weights at once, and each hidden state by the recurrent
 * ones, step by step. Backward computes the gradients of the sums step by step, and from them those
 * of each weight in one product over all steps.
 */
import { floatsBytes, gemmScratchBytes } from '../../memory-layout/nn-layout';
import type { NNKernels } from '../../runtime/kernels-nn';
import { type ArrayPlan, type LayerArrays, type Pass, PLAIN, type PlannedLayer } from './layer';
import { type Frame, inputValuesOf } from './recurrent';

/** One step of a recurrent layer. Sizes are floats per sample. */
export interface Cell {
  /** What forward keeps for backward besides the gates and the hidden states before all steps. */
  readonly keptFloats: number;
  /** Room for a second state, or for its gradient. */
  readonly secondFloats: number;
  /** Further room that `recurrentGradients` needs. */
  readonly roomFloats: number;
  /** Whether `carry` has a part of the gradient by the hidden state; with lengths it always has. */
  readonly carries: boolean;
  /**
   * Number of rows of the recurrent weights that multiply the hidden state. The cell itself
   * multiplies by the others.
   */
  readonly stateRows: number;
  /** Computes a step from the product of the hidden state, which becomes that after the step. */
  forward(at: RecurrentPass, kernels: NNKernels): void;
  /**
   * Computes the gradients of a step: those of the sums in the place of the gates, and in `product`
   * those that `stateRows` rows of weights hand on to the hidden state before.
   */
  backward(at: RecurrentPass, kernels: NNKernels): void;
  /** Computes the gradients of the recurrent weights and of a recurrent bias after all steps. */
  recurrentGradients(
    at: RecurrentPass,
    gradients: readonly number[],
    sums: number,
    before: number,
    kernels: NNKernels,
  ): void;
}

/**
 * A running pass: the addresses of its arrays. Each pass begins by setting all of them, so that it
 * reuses the object and allocates nothing.
 */
export class RecurrentPass {
  readonly frame: Frame;
  readonly #cell: Cell;
  count = 0;
  /** Whether forward keeps anything for backward. */
  keeps = false;
  /** What the cell keeps: `keptFloats` of each sample. */
  kept = 0;
  /** A product of one step, or the gradient of one. */
  product = 0;
  /** The hidden state, or the gradient by it; [count, units]. */
  hidden = 0;
  /** A second state, or the gradient by it. */
  second = 0;
  /** A part of the gradient by the hidden state; 0 where there is none. */
  carry = 0;
  room = 0;
  /** Scratch of products. */
  own = 0;
  lengths = 0;
  /** The step, and its place in the order in which forward reads them. */
  step = 0;
  order = 0;
  /** Gates of the step, in rows `steps·width` floats apart. */
  gates = 0;
  /** Hidden states before the step, in rows `steps·units` floats apart; 0 if they are not kept. */
  before = 0;
  /** Output of the step, or the gradient by it, in rows `outputFloats` apart; 0 for none. */
  y = 0;
  /** The recurrent weights, and their transpose. */
  #weight = 0;
  #recurrent = 0;

  constructor(frame: Frame, cell: Cell) {
    this.frame = frame;
    this.#cell = cell;
  }

  /** Returns the floats that forward needs, or keeps for backward. */
  keptFloats(count: number, training: boolean): number {
    const { steps, width, units } = this.frame;
    const gates = floatsBytes(count * steps * width);
    if (!training) return gates / 4;
    const before = floatsBytes(count * steps * units);
    return (gates + before + floatsBytes(count * this.#cell.keptFloats)) / 4;
  }

  /** Returns the bytes of scratch: as `begin` divides it, and for the largest product. */
  scratchBytes(count: number): number {
    const { steps, width, units, features } = this.frame;
    const rows = count * steps;
    const product = Math.max(
      gemmScratchBytes(rows, width, features),
      gemmScratchBytes(count, width, units),
      gemmScratchBytes(width, features, rows),
      gemmScratchBytes(width, units, rows),
      gemmScratchBytes(count, units, width),
      gemmScratchBytes(rows, features, width),
    );
    return this.#begin(0, count) + product;
  }

  /** Divides scratch among the arrays of a pass, and returns the end of them. */
  #begin(scratch: number, count: number): number {
    const { width, units } = this.frame;
    const { secondFloats, roomFloats } = this.#cell;
    this.count = count;
    this.product = scratch;
    this.hidden = this.product + floatsBytes(count * width);
    this.carry = this.hidden + floatsBytes(count * units);
    this.second = this.carry + floatsBytes(count * units);
    this.#recurrent = this.second + floatsBytes(count * secondFloats);
    this.room = this.#recurrent + floatsBytes(width * units);
    this.own = this.room + floatsBytes(count * roomFloats);
    return this.own;
  }

  /** Moves to a step; `y` is the output or the gradient by it, `before` 0 if it is not kept. */
  #moveTo(order: number, gates: number, before: number, y: number): void {
    const { backwards, steps, width, units, sequences } = this.frame;
    const step = backwards ? steps - 1 - order : order;
    this.order = order;
    this.step = step;
    this.gates = gates + 4 * step * width;
    this.before = before === 0 ? 0 : before + 4 * step * units;
    this.y = sequences ? y + 4 * step * units : 0;
  }

  /** product = x·Uᵀ, with `rows` rows of the recurrent weights from `top` on as U. */
  multiply(x: number, top: number, rows: number, kernels: NNKernels): void {
    const { units, steps } = this.frame;
    const skip = 4 * top * units;
    if (steps > 1)
      kernels.gemmNN(this.product, x, this.#recurrent + skip, this.count, rows, units, this.own);
    else kernels.gemmNT(this.product, x, this.#weight + skip, this.count, rows, units, this.own);
  }

  /** to = product·U, the same with the gradient of a product. */
  multiplyBack(to: number, top: number, rows: number, kernels: NNKernels): void {
    const { units } = this.frame;
    const weight = this.#weight + 4 * top * units;
    kernels.gemmNN(to, this.product, weight, this.count, units, rows, this.own);
  }

  /** Returns the address of a second state, before the step of that order. */
  secondBefore(order: number): number {
    return this.keeps ? this.kept + 4 * order * this.count * this.frame.units : this.second;
  }

  forward({ x, y, dy, inputs, weights, kept, scratch }: LayerArrays, { kernels, count }: Pass) {
    const { steps, width, features, units, states, lengthsInput } = this.frame;
    const { stateRows } = this.#cell;
    this.#begin(scratch, count);
    // A network that computes no gradients has no room for what backward reads.
    this.keeps = dy !== 0;
    const gates = kept;
    const before = this.keeps ? gates + floatsBytes(count * steps * width) : 0;
    this.kept = this.keeps ? before + floatsBytes(count * steps * units) : 0;
    this.lengths = lengthsInput === 0 ? 0 : inputs[lengthsInput];
    this.#weight = weights[1];
    kernels.gemmNT(gates, x, weights[0], count * steps, width, features, this.own);
    if (weights.length > 2) kernels.biasAdd(gates, weights[2], count * steps, width);
    if (steps > 1) {
      const skip = 4 * stateRows * units;
      kernels.transpose(this.#recurrent, weights[1], stateRows, units);
      if (stateRows < width)
        kernels.transpose(this.#recurrent + skip, weights[1] + skip, width - stateRows, units);
    }
    this.#readState(this.hidden, 0, inputs, kernels);
    if (states > 1) this.#readState(this.secondBefore(0), 1, inputs, kernels);
    for (let order = 0; order < steps; order++) {
      this.#moveTo(order, gates, before, y);
      this.multiply(this.hidden, 0, stateRows, kernels);
      if (weights.length > 3) kernels.biasAdd(this.product, weights[3], count, width);
      this.#cell.forward(this, kernels);
    }
    this.#writeState(this.hidden, 0, y, kernels);
    if (states > 1) this.#writeState(this.secondBefore(steps), 1, y, kernels);
  }

  backward(arrays: LayerArrays, { kernels, count }: Pass): void {
    const { steps, width, features, units, states, lengthsInput, stateInput } = this.frame;
    const { x, dx, dy, inputs, inputGradients, weights, gradients, kept, scratch } = arrays;
    const { stateRows, carries } = this.#cell;
    const rows = count * steps;
    this.#begin(scratch, count);
    this.keeps = true;
    const gates = kept;
    const before = gates + floatsBytes(rows * width);
    this.kept = before + floatsBytes(rows * units);
    this.lengths = lengthsInput === 0 ? 0 : inputs[lengthsInput];
    this.#weight = weights[1];
    if (!carries && this.lengths === 0) this.carry = 0;
    const needsState = stateInput > 0 && inputGradients[stateInput] !== 0;
    this.#readStateGradient(this.hidden, 0, dy, kernels);
    if (states > 1) this.#readStateGradient(this.second, 1, dy, kernels);
    if (this.carry !== 0) kernels.fill(this.carry, 0, count * units);
    for (let order = steps - 1; order >= 0; order--) {
      this.#moveTo(order, gates, before, dy);
      this.#cell.backward(this, kernels);
      if (order > 0 || needsState) this.multiplyBack(this.hidden, 0, stateRows, kernels);
    }
    if (needsState) {
      if (this.carry !== 0) kernels.add(this.hidden, this.hidden, this.carry, count * units);
      this.#writeStateGradient(this.hidden, 0, inputGradients, kernels);
      if (states > 1) this.#writeStateGradient(this.second, 1, inputGradients, kernels);
    }
    // The number of steps has no gradient.
    if (lengthsInput > 0 && inputGradients[lengthsInput] !== 0)
      kernels.fill(inputGradients[lengthsInput], 0, count);
    this.#cell.recurrentGradients(this, gradients, gates, before, kernels);
    if (gradients[0]) kernels.gemmTN(gradients[0], gates, x, width, features, rows, this.own);
    if (gradients[2]) kernels.biasGrad(gradients[2], gates, rows, width);
    if (dx) kernels.gemmNN(dx, gates, weights[0], rows, features, width, this.own);
  }

  /** Sets the `index`th state to its initial values. */
  #readState(state: number, index: number, inputs: readonly number[], kernels: NNKernels): void {
    const { units, states, stateInput } = this.frame;
    if (stateInput === 0) {
      kernels.fill(state, 0, this.count * units);
      return;
    }
    const from = inputs[stateInput] + 4 * index * units;
    kernels.copyColumns(state, units, from, states * units, units, this.count);
  }

  /** Returns the address of the `index`th final state in an output. */
  #endStateAt(y: number, index: number): number {
    const { sequences, steps, units } = this.frame;
    return y + 4 * units * ((sequences ? steps : 0) + index);
  }

  /** Writes the `index`th final state to the output, if it is there. */
  #writeState(state: number, index: number, y: number, kernels: NNKernels): void {
    const { units, endStates, outputFloats } = this.frame;
    if (index >= endStates) return;
    const to = this.#endStateAt(y, index);
    kernels.copyColumns(to, outputFloats, state, units, units, this.count);
  }

  /** Sets the gradient of the `index`th final state to that of the output, or 0. */
  #readStateGradient(gradient: number, index: number, dy: number, kernels: NNKernels): void {
    const { units, endStates, outputFloats } = this.frame;
    if (index >= endStates) {
      kernels.fill(gradient, 0, this.count * units);
      return;
    }
    const from = this.#endStateAt(dy, index);
    kernels.copyColumns(gradient, units, from, outputFloats, units, this.count);
  }

  /** Writes the gradient of the `index`th initial state. */
  #writeStateGradient(
    gradient: number,
    index: number,
    inputGradients: readonly number[],
    kernels: NNKernels,
  ): void {
    const { units, states, stateInput } = this.frame;
    const to = inputGradients[stateInput] + 4 * index * units;
    kernels.copyColumns(to, states * units, gradient, units, units, this.count);
  }
}

/** Plans a layer of such a cell. */
export function planRecurrent(
  frame: Frame,
  cell: Cell,
  parameters: readonly ArrayPlan[],
): PlannedLayer {
  const pass = new RecurrentPass(frame, cell);
  return {
    ...PLAIN,
    output: frame.output,
    parameters,
    backwardReads: { input: true, output: false },
    inputValues: inputValuesOf(frame),
    keptFloats: (batchSize, training) => pass.keptFloats(batchSize, training),
    scratchBytes: (batchSize) => pass.scratchBytes(batchSize),
    forward: (arrays, run) => pass.forward(arrays, run),
    backward: (arrays, run) => pass.backward(arrays, run),
  };
}

/** The gradient of recurrent weights whose product is a part of the sums. */
export function gradientsOfSums(
  at: RecurrentPass,
  gradients: readonly number[],
  sums: number,
  before: number,
  kernels: NNKernels,
): void {
  const { width, units, steps } = at.frame;
  if (gradients[1])
    kernels.gemmTN(gradients[1], sums, before, width, units, at.count * steps, at.own);
}
