/**
 * Runs a plan: forward, loss and backward over addresses. It depends on kernels alone, not on a
 * runtime or an optimizer, so that tests run the same code over the float64 reference.
 *
 * Invariant: a pass allocates nothing.
 */
import type { NNKernels } from '../runtime/kernels-nn';
import type { LayerArrays, Pass, PlannedLayer } from './layers/layer';
import { type Loss, lossKindOf } from './losses';
import type { NetworkPlan } from './network-plan';

/** The address of the workspace, and those of the arrays outside it, stage by stage. */
export interface NetworkArrays {
  readonly workspace: number;
  /** Values of the parameters; callers may change the addresses between passes. */
  readonly weights: readonly number[][];
  readonly gradients: readonly (readonly number[])[];
  /** Running statistics that evaluation reads; callers may change the addresses between passes. */
  readonly statistics: readonly number[][];
  /** Running statistics that training updates; callers may change the addresses between passes. */
  readonly nextStatistics: readonly number[][];
}

interface Step {
  readonly layer: PlannedLayer;
  readonly arrays: LayerArrays;
}

type MutablePass = { -readonly [K in keyof Pass]: Pass[K] };

export class Network {
  readonly #plan: NetworkPlan;
  readonly #loss: Loss;
  readonly #steps: readonly Step[];
  readonly #pass: MutablePass;
  readonly #lossArrays: { output: number; gradient: number; targets: number; constants: number };

  /** @param seed seed of dropout, an integer in [0, 2^53) */
  constructor(
    plan: NetworkPlan,
    loss: Loss,
    kernels: NNKernels,
    arrays: NetworkArrays,
    seed: number,
  ) {
    this.#plan = plan;
    this.#loss = loss;
    const { workspace } = arrays;
    const addressOf = (offset: number) => (offset < 0 ? 0 : workspace + offset);
    this.#steps = plan.stages.map(({ layer, x, y, dx, dy, kept, record }, index) => {
      const [weights, gradients] = [arrays.weights[index], arrays.gradients[index]];
      const [statistics, nextStatistics] = [arrays.statistics[index], arrays.nextStatistics[index]];
      const places = {
        x: addressOf(x),
        y: addressOf(y),
        dx: addressOf(dx),
        dy: addressOf(dy),
        kept: addressOf(kept),
      };
      const own = { record: addressOf(record), scratch: addressOf(plan.scratch) };
      return {
        layer,
        arrays: { ...places, ...own, weights, gradients, statistics, nextStatistics },
      };
    });
    const key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)] as const;
    this.#pass = {
      kernels,
      count: 0,
      training: false,
      batchStatistics: false,
      momentum: null,
      key,
      step: 0,
    };
    this.#lossArrays = {
      output: addressOf(plan.output),
      gradient: addressOf(plan.lossGradient),
      targets: addressOf(plan.targets),
      constants: addressOf(plan.lossConstants),
    };
  }

  /** Writes the data that no pass changes: window records and the loss's constants. */
  writeConstants(f32: Float32Array | Float64Array, i32: Int32Array): void {
    for (const { layer, arrays } of this.#steps)
      if (layer.record) i32.set(layer.record, arrays.record / 4);
    f32.set(lossKindOf(this.#loss).constants(this.#loss), this.#lossArrays.constants / 4);
  }

  /**
   * Computes the output from the input, or runs the first `stages` only. `step` is the number of
   * the training pass, which selects the random numbers of dropout.
   */
  forward(
    count: number,
    training: boolean,
    step: number,
    stages: number = this.#steps.length,
  ): void {
    const pass = this.#pass;
    pass.count = count;
    pass.step = step;
    pass.momentum = null;
    for (let index = 0; index < stages; index++) {
      pass.training = training && index >= this.#plan.evaluated;
      pass.batchStatistics = pass.training;
      const { layer, arrays } = this.#steps[index];
      layer.forward(arrays, pass);
    }
  }

  /**
   * Computes the output as in evaluation, but with the batch's own statistics, and moves the
   * running statistics towards them by `momentum`. Stages that run as in evaluation during training
   * do so here too.
   */
  observe(count: number, momentum: number): void {
    const pass = this.#pass;
    pass.count = count;
    pass.training = false;
    pass.momentum = momentum;
    for (let index = 0; index < this.#steps.length; index++) {
      pass.batchStatistics = index >= this.#plan.evaluated;
      const { layer, arrays } = this.#steps[index];
      layer.forward(arrays, pass);
    }
  }

  /** Returns the mean loss of the last forward's outputs, and writes its gradient for backward. */
  loss(count: number): number {
    return lossKindOf(this.#loss).compute(
      this.#loss,
      this.#pass.kernels,
      this.#lossArrays,
      count,
      this.#plan.outputs,
    );
  }

  /** Returns the weight of the batch in a mean over several batches. */
  weigh(count: number): number {
    return lossKindOf(this.#loss).weigh(
      this.#loss,
      this.#pass.kernels,
      this.#lossArrays,
      count,
      this.#plan.outputs,
    );
  }

  /** Computes the gradients of all parameters, after a training forward and its loss. */
  backward(): void {
    for (let index = this.#steps.length - 1; index >= this.#plan.firstTrained; index--) {
      const { layer, arrays } = this.#steps[index];
      layer.backward(arrays, this.#pass);
    }
  }
}
