/**
 * Runs a plan: forward, loss and backward over addresses. It depends on kernels alone, not on a
 * runtime or an optimizer, so that tests run the same code over the float64 reference.
 *
 * Invariant: a pass allocates nothing.
 */
import { elementCount } from '../math/shape';
import { floatsBytes } from '../memory-layout/nn-layout';
import type { NNKernels } from '../runtime/kernels-nn';
import type { LayerArrays, Pass, PlannedLayer } from './layers/layer';
import { lossKindOf } from './losses';
import type { LossArrays } from './losses/loss';
import type { NetworkPlan, OutputPlan, PenaltyPlan, Stage } from './network-plan';

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
  readonly stage: Stage;
  readonly layer: PlannedLayer;
  readonly arrays: LayerArrays;
  /** The same with the gradients of the parameters in `gradientRoom`; null without such room. */
  readonly apart: LayerArrays | null;
  /** Addresses of the gradients by the inputs that backward adds to; 0 for none. */
  readonly sums: readonly number[];
  /** Which application of its layer the stage is, from 1, and of how many. */
  readonly application: number;
  readonly applications: number;
}

/** An output with a loss, and the addresses of the loss's arrays. */
interface LossStep {
  readonly output: OutputPlan;
  readonly arrays: LossArrays;
  /** Place of the output among all. */
  readonly index: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Weights of the batch's samples by loss, in their order; null where all are 1. */
export type LossWeights = readonly (Float32Array | null)[];

export class Network {
  readonly #steps: readonly Step[];
  readonly #losses: readonly LossStep[];
  readonly #penalties: readonly PenaltyPlan[];
  readonly #pass: Mutable<Pass>;
  /** The last losses of the outputs, without their weights; NaN for outputs without a loss. */
  readonly losses: Float64Array;

  /** Weights of the last losses in means over several batches; NaN if samples had no weights. */
  readonly #wholes: Float64Array;
  /** The arrays of one sample, for losses whose samples have weights. */
  readonly #sample: Mutable<LossArrays> = { output: 0, gradient: 0, targets: 0, constants: 0 };

  /** @param seed seed of dropout, an integer in [0, 2^53) */
  constructor(plan: NetworkPlan, kernels: NNKernels, arrays: NetworkArrays, seed: number) {
    const { workspace } = arrays;
    const addressOf = (offset: number) => (offset < 0 ? 0 : workspace + offset);
    this.#steps = plan.stages.map((stage) => stepOf(stage, plan, arrays, addressOf));
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
    this.#penalties = plan.penalties;
    this.#wholes = new Float64Array(plan.outputs.length);
    this.losses = new Float64Array(plan.outputs.length).fill(Number.NaN);
    this.#losses = plan.outputs.flatMap((output, index) =>
      output.loss === null
        ? []
        : {
            output,
            index,
            arrays: {
              output: addressOf(output.values),
              gradient: addressOf(output.gradient),
              targets: addressOf(output.targets),
              constants: addressOf(output.lossConstants),
            },
          },
    );
  }

  /** Writes the data that no pass changes: records and constants of layers and losses. */
  writeConstants(f32: Float32Array | Float64Array, i32: Int32Array): void {
    for (const { layer, arrays } of this.#steps)
      if (layer.record)
        (layer.record instanceof Int32Array ? i32 : f32).set(layer.record, arrays.record / 4);
    for (const { output, arrays } of this.#losses)
      f32.set(lossKindOf(output.loss!).constants(output.loss!), arrays.constants / 4);
  }

  /**
   * Computes the outputs from the inputs, or runs the first `stages` only. `step` is the number of
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
      const { stage, layer, arrays } = this.#steps[index];
      pass.training = training && !stage.evaluated;
      pass.batchStatistics = pass.training;
      layer.forward(arrays, pass);
    }
    pass.training = training;
  }

  /**
   * Computes the output as in evaluation, but with the batch's own statistics, and takes these into
   * the running statistics, which are then means over all samples and all applications of a layer.
   * Stages that run as in evaluation during training do so here too.
   * @param seen number of samples so far, those of this batch included
   */
  observe(count: number, seen: number): void {
    const pass = this.#pass;
    pass.count = count;
    pass.training = false;
    for (let index = 0; index < this.#steps.length; index++) {
      const { stage, layer, arrays, application, applications } = this.#steps[index];
      pass.batchStatistics = !stage.evaluated;
      pass.momentum = count / ((seen - count) * applications + application * count);
      layer.forward(arrays, pass);
    }
  }

  /**
   * Returns the loss of the last forward's outputs: the sum of the outputs' mean losses times their
   * weights, and of the penalties. Writes the gradients of the outputs that have a loss, for
   * backward.
   * @param sampleWeights weights of the samples by loss; null if all are 1
   */
  loss(count: number, sampleWeights: LossWeights | null = null): number {
    const { kernels } = this.#pass;
    let total = 0;
    for (let index = 0; index < this.#losses.length; index++) {
      const { output, arrays, index: place } = this.#losses[index];
      const { lossWeight, size } = output;
      const weights = sampleWeights?.[index] ?? null;
      this.#wholes[index] = Number.NaN;
      const own =
        weights === null
          ? this.#compute(output, arrays, count)
          : this.#weightedLoss(index, count, weights);
      this.losses[place] = own;
      if (lossWeight === 1) {
        total += own;
        continue;
      }
      total += lossWeight * own;
      kernels.scale(arrays.gradient, arrays.gradient, lossWeight, count * size);
    }
    return this.#penalties.length > 0 ? total + this.penalty(false) : total;
  }

  /**
   * Returns the sum of the penalties.
   * @param training whether to add their gradients to those of the parameters, after `backward`
   */
  penalty(training: boolean): number {
    const { kernels } = this.#pass;
    let total = 0;
    for (const { stage, parameter, length, l1, l2 } of this.#penalties) {
      const { weights, gradients } = this.#steps[stage].arrays;
      const gradient = training ? gradients[parameter] : 0;
      total += kernels.addPenalty(gradient, weights[parameter], length, l1, l2);
    }
    return total;
  }

  #compute({ loss, size, positions }: OutputPlan, arrays: LossArrays, count: number): number {
    const { kernels } = this.#pass;
    const rows = count * positions;
    return lossKindOf(loss!).compute(loss!, kernels, arrays, rows, size / positions);
  }

  #weigh({ loss, size, positions }: OutputPlan, arrays: LossArrays, count: number): number {
    const { kernels } = this.#pass;
    return lossKindOf(loss!).weigh(loss!, kernels, arrays, count * positions, size / positions);
  }

  /**
   * Returns the mean loss of samples that have weights: each one's loss by itself, times its
   * weight, in the order of the samples. Gradients are scaled in the same way.
   */
  #weightedLoss(index: number, count: number, weights: Float32Array): number {
    const { output, arrays } = this.#losses[index];
    const byWeights = (output.loss as { reduction?: string }).reduction === 'weighted-mean';
    let whole = 0;
    for (let i = 0; i < count; i++) {
      const own = this.#weigh(output, this.#sampleOf(output, arrays, i), 1);
      whole += byWeights ? weights[i] * own : own;
    }
    let total = 0;
    for (let i = 0; i < count; i++) {
      const sample = this.#sampleOf(output, arrays, i);
      const weight = weights[i] * this.#weigh(output, sample, 1);
      const own = this.#compute(output, sample, 1);
      const factor = whole === 0 ? 0 : weight / whole;
      total += weight * own;
      this.#pass.kernels.scaleSample(sample.gradient, output.size, factor);
    }
    this.#wholes[index] = whole;
    return whole === 0 ? 0 : total / whole;
  }

  /** Returns the arrays of one sample of a batch. */
  #sampleOf({ size, targetsPerSample }: OutputPlan, arrays: LossArrays, i: number): LossArrays {
    const sample = this.#sample;
    sample.output = arrays.output + 4 * i * size;
    sample.gradient = arrays.gradient + 4 * i * size;
    sample.targets = arrays.targets + 4 * i * targetsPerSample;
    sample.constants = arrays.constants;
    return sample;
  }

  /**
   * Returns the weight of the batch in a mean over several batches: that of the only loss, or the
   * number of samples if there are more.
   */
  weigh(count: number): number {
    return this.#losses.length === 1 ? this.weighOutput(0, count) : count;
  }

  /**
   * Returns the weight of the batch in a mean of the `index`th loss over several batches, after
   * `loss`.
   */
  weighOutput(index: number, count: number): number {
    const whole = this.#wholes[index];
    const { output, arrays } = this.#losses[index];
    return Number.isNaN(whole) ? this.#weigh(output, arrays, count) : whole;
  }

  /**
   * Computes the gradients of all parameters from those of the outputs, after a forward.
   * @param accumulate whether to add to the gradients of the parameters rather than replace them
   */
  backward(accumulate = false): void {
    const pass = this.#pass;
    const { training } = pass;
    for (let index = this.#steps.length - 1; index >= 0; index--) {
      const step = this.#steps[index];
      const { stage, layer } = step;
      if (!stage.hasBackward) continue;
      pass.training = training && !stage.evaluated;
      pass.batchStatistics = pass.training;
      const adds = step.apart !== null && (accumulate || !stage.writesGradients);
      const arrays = adds ? step.apart! : step.arrays;
      layer.backward(arrays, pass);
      if (adds) addGradients(step, pass);
      for (let slot = stage.sums.length - 1; slot >= 0; slot--) {
        if (step.sums[slot] === 0) continue;
        const n = pass.count * stage.inputSizes[slot];
        pass.kernels.add(step.sums[slot], step.sums[slot], arrays.inputGradients[slot], n);
      }
    }
    pass.training = training;
  }
}

function stepOf(
  stage: Stage,
  plan: NetworkPlan,
  arrays: NetworkArrays,
  addressOf: (offset: number) => number,
): Step {
  const { layer, owner } = stage;
  const inputs = stage.inputs.map(addressOf);
  const inputGradients = stage.inputGradients.map(addressOf);
  const gradients = arrays.gradients[owner];
  const own: LayerArrays = {
    x: inputs[0],
    y: addressOf(stage.y),
    dx: inputGradients[0],
    dy: addressOf(stage.dy),
    inputs,
    inputGradients,
    kept: addressOf(stage.kept),
    record: addressOf(stage.record),
    scratch: addressOf(plan.scratch),
    weights: arrays.weights[owner],
    gradients,
    statistics: arrays.statistics[owner],
    nextStatistics: arrays.nextStatistics[owner],
  };
  let room = addressOf(stage.gradientRoom);
  const apart = room !== 0 && {
    ...own,
    gradients: gradients.map((gradient, k) => {
      if (gradient === 0) return 0;
      const address = room;
      room += floatsBytes(elementCount(layer.parameters[k].shape));
      return address;
    }),
  };
  const isAlike = (other: Stage) => other.owner === owner;
  return {
    stage,
    layer,
    arrays: own,
    apart: apart || null,
    sums: stage.sums.map(addressOf),
    application: plan.stages.slice(0, plan.stages.indexOf(stage) + 1).filter(isAlike).length,
    applications: plan.stages.filter(isAlike).length,
  };
}

/** Adds the gradients that a stage has written apart to those of its parameters. */
function addGradients({ layer, arrays, apart }: Step, { kernels }: Pass): void {
  for (let k = 0; k < arrays.gradients.length; k++) {
    const gradient = arrays.gradients[k];
    if (gradient === 0) continue;
    kernels.add(gradient, gradient, apart!.gradients[k], elementCount(layer.parameters[k].shape));
  }
}
