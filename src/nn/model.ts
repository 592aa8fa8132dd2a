/**
 * A feed-forward network whose parameters, activations and gradients all lie in linear memory: a
 * training batch is copied in, and nothing is copied out but the loss.
 *
 * Invariant: all memory is planned for `batchSize` samples at creation; nothing is allocated
 * afterwards.
 */
import { ArgumentError, DisposedError } from '../errors';
import { Prng } from '../math/prng';
import { elementCount } from '../math/shape';
import type { NNKernels } from '../runtime/kernels-nn';
import type { Runtime } from '../runtime/runtime';
import type { Parameter } from '../tensors/parameter';
import type { Tensor } from '../tensors/tensor';
import { checkInteger, fail } from '../validate';
import type { Layer } from './layers';
import type { Shape } from './layers/layer';
import {
  LearntState,
  type ModelStateDict,
  type ModelStateDictOptions,
  readModelStateDict,
} from './learnt-state';
import { type Loss, lossKindOf } from './losses';
import { countElements, type ModelMemory, memoryOf } from './model-memory';
import { Network } from './network';
import { type NetworkOptions, type NetworkPlan, planNetwork } from './network-plan';
import { checkTargets } from './samples';

/** A checked model: see create-model.ts. */
export type ModelSettings = NetworkOptions & { readonly seed: number };

/** The most samples a batch. */
export const MAX_BATCH = 2 ** 24;

export class Model {
  readonly runtime: Runtime;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Floats a sample. */
  readonly inputSize: number;
  /** Outputs a sample. */
  readonly outputSize: number;
  readonly batchSize: number;
  readonly loss: Loss;
  readonly layers: readonly Layer[];
  /** Whether the model can compute gradients. */
  readonly training: boolean;
  /** Of the layers, in order: `conv1`, `relu1`, `dense1`. */
  readonly layerNames: readonly string[];
  /**
   * Parameters to train, by name (`dense1.weight`, `dense1.bias`, …): give them to an optimizer as
   * they are. Frozen ones are not among them; without training there are none.
   */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** All that makes up the model, by name: values of the parameters, and running figures. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly #learnt: LearntState;
  readonly #settings: ModelSettings;
  readonly #plan: NetworkPlan;
  readonly #network: Network;
  readonly #workspace: number;
  readonly #kernels: NNKernels;
  #disposed = false;

  /** @internal Use `createModel`. */
  constructor(runtime: Runtime, kernels: NNKernels, settings: ModelSettings) {
    this.runtime = runtime;
    this.#kernels = kernels;
    this.#settings = settings;
    this.#plan = planNetwork(settings);
    this.inputShape = settings.inputShape;
    this.outputShape = this.#plan.outputShape;
    this.inputSize = this.#plan.inputs;
    this.outputSize = this.#plan.outputs;
    this.batchSize = settings.batchSize;
    this.loss = settings.loss;
    this.layers = settings.layers;
    this.layerNames = Object.freeze(this.#plan.stages.map(({ name }) => name));
    this.training = settings.training;
    this.#learnt = new LearntState(runtime, this.#plan, settings.training);
    ({ parameters: this.parameters, weights: this.weights } = this.#learnt);
    try {
      this.#workspace = runtime.arena.allocate(this.#plan.workspaceBytes);
    } catch (error) {
      this.#learnt.dispose();
      throw error;
    }
    const places = { workspace: this.#workspace, ...this.#learnt.addresses };
    this.#network = new Network(this.#plan, settings.loss, kernels, places, settings.seed);
    this.#network.writeConstants(runtime.memory.f32, runtime.memory.i32);
    this.#initialise();
  }

  /** Outputs a sample, which are the classes when the loss is cross-entropy. */
  get classCount(): number {
    return this.outputSize;
  }

  /** The classes' names by class index, if the data of the model's first `fit` told them. */
  get classNames(): readonly string[] | undefined {
    return this.#learnt.history.classNames;
  }

  /** The features' names in their order, if the data of the model's first `fit` told them. */
  get columns(): readonly string[] | undefined {
    return this.#learnt.history.columns;
  }

  /** Elements of all parameters. */
  get parameterCount(): number {
    return countElements(this.#plan.stages);
  }

  /**
   * Where a batch of up to `batchSize` samples goes, each row-major. Ask again after anything that
   * may allocate.
   */
  get input(): Float32Array {
    this.#check();
    return this.#floats(this.#plan.input, this.batchSize * this.inputSize);
  }

  /** Where the classes of a batch go, for losses on classes. */
  get labels(): Int32Array {
    this.#check();
    if (this.#targetKind !== 'classes')
      throw new ArgumentError('loss', 'one on classes, to have labels', this.loss.kind);
    return new Int32Array(
      this.runtime.memory.buffer,
      this.#workspace + this.#plan.targets,
      this.batchSize,
    );
  }

  /** Where the target values of a batch go, `outputSize` a sample, for losses on values. */
  get targets(): Float32Array {
    this.#check();
    if (this.#targetKind !== 'values')
      throw new ArgumentError('loss', 'one on values, to have targets', this.loss.kind);
    return this.#floats(this.#plan.targets, this.batchSize * this.outputSize);
  }

  /** What the last pass gave, `outputSize` a sample. Ask again after anything that may allocate. */
  get output(): Float32Array {
    this.#check();
    return this.#floats(this.#plan.output, this.batchSize * this.outputSize);
  }

  /**
   * Bytes that such a model takes with batches of another size: what it would add to
   * `runtime.info.usedBytes`.
   */
  memory(batchSize: number = this.batchSize): ModelMemory {
    checkInteger('batchSize', batchSize, 1, MAX_BATCH);
    return memoryOf(planNetwork({ ...this.#settings, batchSize }), this.training);
  }

  /**
   * Forward and backward over the first `count` samples of `input` and `labels` (or `targets`): all
   * parameters' gradients of the mean loss.
   *
   * The running figures of batch norm that come of it count when an optimizer's step over these
   * parameters is accepted, and are forgotten when it is refused. Who changes the weights without
   * an optimizer calls `commitStatistics`.
   *
   * @param count samples: an integer in [1, batchSize], and at least 2 where batch norm has one
   * position a sample
   * @returns the mean loss, float64
   * @throws ArgumentError for a model without training, a batch that is too small, a label that is
   * no class, or a target for which
   * the loss is not defined
   * @throws BusyError while `fit` is training the model
   */
  computeGradients(count: number): number {
    this.#checkBatch(count);
    this.#learnt.checkAccess('computeGradients');
    const { training, fewestSamples } = this;
    if (!training)
      throw new ArgumentError('training', 'a model created with training: true', 'false');
    if (count < fewestSamples) {
      throw new ArgumentError(
        'count',
        `at least ${fewestSamples} samples, for batch norm to have a variance`,
        `${count}`,
      );
    }
    const learnt = this.#learnt;
    learnt.readForTraining();
    try {
      this.#network.forward(count, true, learnt.trainingPasses);
      const loss = this.#computeLoss(count);
      this.#network.backward();
      learnt.countPass();
      return loss;
    } catch (error) {
      learnt.discard();
      throw error;
    }
  }

  /**
   * Takes over the running figures of the passes since the last step: for who changes the weights
   * without an optimizer.
   */
  commitStatistics(): void {
    this.#check();
    this.#learnt.checkAccess('commitStatistics');
    this.#learnt.commit();
  }

  /**
   * Forward over the first `count` samples of `input` and the targets.
   * @returns the mean loss; what it counts in a mean over several batches, which is `count` unless
   * class weights are averaged over
   * their sum; and for classes how many are right. A sample any of whose outputs is NaN is not
   * right.
   * @throws ArgumentError for a label that is no class, or a target for which the loss is not
   * defined
   */
  evaluate(count: number): { correct: number; loss: number; weight: number } {
    this.#forward(count);
    const loss = this.#computeLoss(count);
    const [output, targets] = [
      this.#workspace + this.#plan.output,
      this.#workspace + this.#plan.targets,
    ];
    const classes = this.#targetKind === 'classes';
    const correct = classes
      ? this.#kernels.predictedMatches(output, targets, count, this.outputSize)
      : 0;
    return { correct, loss, weight: this.#network.weigh(count) };
  }

  /**
   * @internal What the loss of the last pass's `count` samples counts in a mean over several
   * batches.
   */
  weighBatch(count: number): number {
    return this.#network.weigh(count);
  }

  /** Forward over the first `count` samples of `input`; a copy of the outputs, count × outputs. */
  predict(count: number): Float32Array {
    this.#forward(count);
    return this.output.slice(0, count * this.outputSize);
  }

  /**
   * @internal Forward over the first `count` samples of `input` up to a layer (0-based), as in
   * evaluation: a copy of its outputs.
   * `extractFeatures` does it for any number of samples.
   */
  activations(count: number, layer: number): { shape: Shape; data: Float32Array } {
    this.#checkBatch(count);
    this.#learnt.readForEvaluation();
    this.#network.forward(count, false, 0, layer + 1);
    const { y, layer: planned } = this.#plan.stages[layer];
    return {
      shape: planned.output,
      data: this.#floats(y, count * elementCount(planned.output)).slice(),
    };
  }

  /**
   * Returns copies of everything that the model has learnt: by default what it evaluates with, so
   * that a model that loads it gives the same predictions. To go on training, save the optimizer's
   * state dict too, and `point: 'trained'`.
   */
  stateDict(options: ModelStateDictOptions = {}): ModelStateDict {
    this.#check();
    return this.#learnt.stateDict(options);
  }

  /**
   * Takes over what `stateDict` returned.
   * @throws ArgumentError naming the array that does not fit; nothing has changed then. Also while
   * a Schedule-Free optimizer that
   * has stepped holds the parameters, since its state belongs to the weights as they are: load its
   * state dict instead
   * @throws BusyError while `fit` is training the model
   */
  loadStateDict(state: ModelStateDict): void {
    this.#check();
    this.#learnt.checkAccess('loadStateDict');
    this.#learnt.prepareLoad('state', readModelStateDict('state', state))();
  }

  /** @internal What is learnt, for those who load or average it together with something else. */
  get learnt(): LearntState {
    this.#check();
    return this.#learnt;
  }

  /**
   * @internal Fewest samples of a batch to train on: 2 where batch norm has one position a sample.
   */
  get fewestSamples(): number {
    return this.#plan.fewestSamples;
  }

  /**
   * @internal Brings running figures up to date, at `statistics`, with the batch of the first
   * `count` samples of `input`, and with
   * the weights that evaluation reads. `updateStatistics` does it for any number of samples.
   */
  observe(count: number, share: number, figures: Readonly<Record<string, Tensor>>): void {
    this.#checkBatch(count);
    this.#learnt.readForEvaluation();
    const { nextStatistics } = this.#learnt.addresses;
    const own = nextStatistics.map((addresses) => [...addresses]);
    for (const [index, { statistics }] of this.#plan.stages.entries()) {
      for (const [k, { fullName }] of statistics.entries())
        nextStatistics[index][k] = figures[fullName]?.address ?? 0;
    }
    try {
      this.#network.observe(count, share);
    } finally {
      for (const [index, addresses] of own.entries())
        nextStatistics[index].splice(0, addresses.length, ...addresses);
    }
  }

  /** @internal Names of the running figures that training brings up to date. */
  get observedFigures(): readonly string[] {
    return this.#plan.stages
      .slice(this.#plan.evaluated)
      .flatMap(({ statistics }) => statistics.map(({ fullName }) => fullName));
  }

  /**
   * Frees the memory. Optimizers, accumulators and averages over its parameters throw DisposedError
   * from then on; dispose of them too.
   * @throws BusyError while `fit` is training the model
   */
  dispose(): void {
    if (this.#disposed) return;
    if (!this.runtime.disposed) this.runtime.checkOwner('the model');
    this.#learnt.dispose();
    this.#disposed = true;
    if (!this.runtime.disposed) this.runtime.arena.release(this.#workspace);
  }

  get #targetKind(): 'classes' | 'values' {
    return lossKindOf(this.loss).targets;
  }

  /**
   * The mean loss of the last pass. Targets are looked at only when it is not finite, as the loss
   * of a wrong one never is.
   */
  #computeLoss(count: number): number {
    const loss = this.#network.loss(count);
    if (Number.isFinite(loss)) return loss;
    if (this.#targetKind === 'classes')
      checkTargets('labels', this, this.labels.subarray(0, count));
    else checkTargets('targets', this, this.targets.subarray(0, count * this.outputSize));
    return loss;
  }

  #forward(count: number): void {
    this.#checkBatch(count);
    this.#learnt.readForEvaluation();
    this.#network.forward(count, false, 0);
  }

  #floats(offset: number, length: number): Float32Array {
    return new Float32Array(this.runtime.memory.buffer, this.#workspace + offset, length);
  }

  /** First values, drawn in the order of the layers. */
  #initialise(): void {
    const prng = new Prng(this.#settings.seed);
    for (const { parameters, statistics } of this.#plan.stages) {
      for (const { fullName, initialise } of [...parameters, ...statistics])
        initialise?.(this.weights[fullName].data, prng);
    }
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError('the model');
    this.runtime.check('the model');
  }

  #checkBatch(count: number): void {
    this.#check();
    if (typeof count !== 'number') {
      fail(
        'count',
        'a number of samples in model.input (for samples of your own call predict(model, features))',
        count,
      );
    }
    checkInteger('count', count, 1, this.batchSize);
  }
}
