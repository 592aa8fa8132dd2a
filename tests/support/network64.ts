/**
 * A network over float64: the reference kernels' formulas without rounding, over plain arrays;
 * tests measure gradients against it.
 */
import { Prng } from '../../src/math/prng';
import { elementCount } from '../../src/math/shape';
import type { Layer, Loss, ModelOptions, Shape } from '../../src/nn';
import { readModelOptions } from '../../src/nn/create-model';
import { lossKindOf } from '../../src/nn/losses';
import { Network } from '../../src/nn/network';
import { type NetworkPlan, planNetwork } from '../../src/nn/network-plan';
import { createReferenceNN, float64 } from '../../src/runtime/reference/nn';

export interface NetworkCase {
  readonly inputShape: Shape;
  readonly layers: readonly Layer[];
  readonly loss: Loss;
  readonly batchSize: number;
}

/** Targets of a loss on values, or on classes. */
export type Targets64 = Float64Array | Int32Array;

export class Network64 {
  readonly plan: NetworkPlan;
  /** Values of the inputs by name, and gradients by them where the options ask for them. */
  readonly inputs: Record<string, Float64Array> = {};
  readonly inputGradients: Record<string, Float64Array> = {};
  readonly outputs: Record<string, Float64Array> = {};
  readonly outputGradients: Record<string, Float64Array> = {};
  /** Targets of the outputs that have a loss, by name. */
  readonly outputTargets: Record<string, Targets64> = {};
  /** Parameters and running statistics by name. */
  readonly weights: Record<string, Float64Array> = {};
  readonly gradients: Record<string, Float64Array> = {};
  readonly #network: Network;
  readonly #batchSize: number;

  constructor(options: ModelOptions, seed = 1) {
    const { settings } = readModelOptions(options);
    const { batchSize } = settings;
    this.#batchSize = batchSize;
    this.plan = planNetwork(settings);
    const memory = { f32: new Float64Array(1 << 18), i32: new Int32Array(1 << 18) };
    let top = 64;
    const allocate = (bytes: number) => {
      const address = top;
      top += 64 * Math.ceil(bytes / 64);
      if (top > 4 * memory.f32.length) throw new Error('the case is too large for its memory');
      return address;
    };
    const floats = (address: number, n: number) =>
      memory.f32.subarray(address / 4, address / 4 + n);
    const workspace = allocate(this.plan.workspaceBytes);
    const prng = new Prng(seed);
    const place =
      (into: Record<string, Float64Array>, first: boolean) =>
      (array: NetworkPlan['stages'][0]['parameters'][0]) => {
        const address = allocate(4 * elementCount(array.shape));
        const values = floats(address, elementCount(array.shape));
        into[array.fullName] = values;
        if (first && array.initialise) {
          const initial = new Float32Array(values.length);
          array.initialise(initial, prng);
          values.set(initial);
        }
        return address;
      };
    const { stages, inputs, outputs } = this.plan;
    const statistics = stages.map((stage) => stage.statistics.map(place(this.weights, true)));
    const arrays = {
      workspace,
      weights: stages.map(({ parameters }) => parameters.map(place(this.weights, true))),
      gradients: stages.map(({ parameters }) => parameters.map(place(this.gradients, false))),
      statistics,
      nextStatistics: statistics,
    };
    this.#network = new Network(this.plan, createReferenceNN(memory, float64), arrays, seed);
    this.#network.writeConstants(memory.f32, memory.i32);
    for (const { name, values, gradient, size } of inputs) {
      this.inputs[name] = floats(workspace + values, batchSize * size);
      if (gradient >= 0) this.inputGradients[name] = floats(workspace + gradient, batchSize * size);
    }
    for (const { name, values, gradient, size, loss, targets, targetsPerSample } of outputs) {
      this.outputs[name] = floats(workspace + values, batchSize * size);
      this.outputGradients[name] = floats(workspace + gradient, batchSize * size);
      if (loss === null) continue;
      const at = (workspace + targets) / 4;
      const memoryOf = lossKindOf(loss).targets === 'classes' ? memory.i32 : memory.f32;
      this.outputTargets[name] = memoryOf.subarray(at, at + batchSize * targetsPerSample);
    }
  }

  /** Values of the only input. */
  get input(): Float64Array {
    return Object.values(this.inputs)[0]!;
  }

  /** Targets of the only loss: values, */
  get targets(): Float64Array {
    return Object.values(this.outputTargets)[0] as Float64Array;
  }

  /** or classes. */
  get labels(): Int32Array {
    return Object.values(this.outputTargets)[0] as Int32Array;
  }

  get output(): Float64Array {
    return Object.values(this.outputs)[0]!;
  }

  /** Outputs per sample of the first output. */
  get outputSize(): number {
    return this.plan.outputs[0]!.size;
  }

  /** Computes the outputs; in training dropout draws as in training pass `step`. */
  forward(training: boolean, step = 0): void {
    this.#network.forward(this.#batchSize, training, step);
  }

  /** Computes the gradients from those of the outputs. */
  backward(accumulate = false): void {
    this.#network.backward(accumulate);
  }

  /** Returns the loss; in training dropout draws as in training pass `step`. */
  evaluate(training: boolean, step = 0): number {
    this.forward(training, step);
    return this.#network.loss(this.#batchSize);
  }

  /** Returns the loss of training pass `step`, and leaves gradients in `gradients`. */
  computeGradients(step = 0): number {
    const loss = this.evaluate(true, step);
    this.#network.backward();
    this.#network.penalty(true);
    return loss;
  }
}
