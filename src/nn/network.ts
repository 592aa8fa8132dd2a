/**
 * Runs a plan: forward, loss and backward over addresses. It knows kernels and numbers only,
 * neither runtime nor optimizer, so that the same code runs over the float64 oracle in tests.
 *
 * Invariant: a pass allocates nothing.
 */
import type { NNKernels } from '../runtime/kernels-nn';
import type { LayerArrays, Pass, PlannedLayer } from './layers/layer';
import { type Loss, lossKindOf } from './losses';
import type { NetworkPlan } from './network-plan';

/** Addresses of the arrays that are not in the workspace, stage by stage. */
export interface NetworkArrays {
  readonly workspace: number;
  /** May be changed between passes. */
  readonly weights: readonly number[][];
  readonly gradients: readonly (readonly number[])[];
  /** May be changed between passes. */
  readonly statistics: readonly number[][];
  /** Where passes in training bring running figures up to date; may be changed between passes. */
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

  /** @param seed of dropout */
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

  /** Writes what never changes: window records and the loss's constants. */
  writeConstants(f32: Float32Array | Float64Array, i32: Int32Array): void {
    for (const { layer, arrays } of this.#steps)
      if (layer.record) i32.set(layer.record, arrays.record / 4);
    f32.set(lossKindOf(this.#loss).constants(this.#loss), this.#lossArrays.constants / 4);
  }

  /**
   * From input to output, or through the first `stages` only. `step` counts training passes:
   * dropout draws by it.
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
   * Forward as in evaluation, but over the batch's own statistics, of which running figures take
   * over a share. Layers that work in training as in evaluation do so here too.
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

  /**
   * The mean loss of the outputs that forward left, by the targets; its gradient is what backward
   * begins with.
   */
  loss(count: number): number {
    return lossKindOf(this.#loss).compute(
      this.#loss,
      this.#pass.kernels,
      this.#lossArrays,
      count,
      this.#plan.outputs,
    );
  }

  /** What the batch counts in a mean over several. */
  weigh(count: number): number {
    return lossKindOf(this.#loss).weigh(
      this.#loss,
      this.#pass.kernels,
      this.#lossArrays,
      count,
      this.#plan.outputs,
    );
  }

  /** All parameters' gradients, after a training forward and its loss. */
  backward(): void {
    for (let index = this.#steps.length - 1; index >= this.#plan.firstTrained; index--) {
      const { layer, arrays } = this.#steps[index];
      layer.backward(arrays, this.#pass);
    }
  }
}
