/**
 * A network over float64: the reference kernels' formulas without rounding, over plain arrays;
 * tests measure gradients against it.
 */
import { Prng } from '../../src/math/prng';
import { elementCount } from '../../src/math/shape';
import type { Layer, Loss, Shape } from '../../src/nn';
import { Network } from '../../src/nn/network';
import { type NetworkPlan, planNetwork } from '../../src/nn/network-plan';
import { createReferenceNN, float64 } from '../../src/runtime/reference/nn';

export interface NetworkCase {
  readonly inputShape: Shape;
  readonly layers: readonly Layer[];
  readonly loss: Loss;
  readonly batchSize: number;
}

export class Network64 {
  readonly plan: NetworkPlan;
  readonly input: Float64Array;
  /** Where losses on values have their targets. */
  readonly targets: Float64Array;
  /** Where losses on classes have theirs. */
  readonly labels: Int32Array;
  readonly output: Float64Array;
  /** Parameters and running statistics by name. */
  readonly weights: Record<string, Float64Array> = {};
  readonly gradients: Record<string, Float64Array> = {};
  readonly #network: Network;
  readonly #batchSize: number;

  constructor({ inputShape, layers, loss, batchSize }: NetworkCase, seed = 1) {
    this.#batchSize = batchSize;
    this.plan = planNetwork({ inputShape, layers, loss, batchSize, training: true });
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
    const { stages } = this.plan;
    const statistics = stages.map((stage) => stage.statistics.map(place(this.weights, true)));
    const arrays = {
      workspace,
      weights: stages.map(({ parameters }) => parameters.map(place(this.weights, true))),
      gradients: stages.map(({ parameters }) => parameters.map(place(this.gradients, false))),
      statistics,
      nextStatistics: statistics,
    };
    this.#network = new Network(this.plan, loss, createReferenceNN(memory, float64), arrays, seed);
    this.#network.writeConstants(memory.f32, memory.i32);
    this.input = floats(workspace + this.plan.input, batchSize * this.plan.inputs);
    this.targets = floats(workspace + this.plan.targets, batchSize * this.plan.outputs);
    this.output = floats(workspace + this.plan.output, batchSize * this.plan.outputs);
    this.labels = memory.i32.subarray(
      (workspace + this.plan.targets) / 4,
      (workspace + this.plan.targets) / 4 + batchSize,
    );
  }

  /** Returns the mean loss; in training dropout draws as in training pass `step`. */
  evaluate(training: boolean, step = 0): number {
    this.#network.forward(this.#batchSize, training, step);
    return this.#network.loss(this.#batchSize);
  }

  /** Returns the mean loss of training pass `step`, and leaves gradients in `gradients`. */
  computeGradients(step = 0): number {
    const loss = this.evaluate(true, step);
    this.#network.backward();
    return loss;
  }
}
