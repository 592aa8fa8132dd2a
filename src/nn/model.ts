/**
 * A feed-forward network whose parameters, activations and gradients lie in linear memory. A
 * training batch is copied in; only its loss is copied out.
 *
 * Invariant: the constructor plans and allocates all memory for `batchSize` samples; no later call
 * allocates any.
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

/** The checked options of a model, with their defaults: see create-model.ts. */
export type ModelSettings = NetworkOptions & { readonly seed: number };

/** The largest batch size. */
export const MAX_BATCH = 2 ** 24;

/**
 * A feed-forward network in the linear memory of a runtime, made by `createModel`.
 *
 * `fit`, `evaluate` and `predict` take any number of samples. The model's own methods work on one
 * batch, for training loops of your own: copy samples into `input` and `labels` (or `targets`),
 * call `computeGradients`, and step an optimizer over `parameters`.
 *
 * A model keeps its memory until `dispose`, or until its runtime is disposed. It owns its
 * parameters; optimizers, accumulators and averages only use them, so dispose of those as well.
 *
 * @example
 * const model = await createModel(runtime, { inputSize: 2, layers: [dense(8), relu(), dense(2)] });
 * const optimizer = new AdamW(runtime, model.parameters, { lr: 1e-2 });
 * model.input.set([0, 1, 1, 0]); // two samples
 * model.labels.set([0, 1]);
 * const loss = model.computeGradients(2);
 * optimizer.step();
 * model.dispose();
 */
export class Model {
  /** Runtime in whose linear memory the model lies. */
  readonly runtime: Runtime;
  /** Shape of one sample: [features], [steps, features] or [height, width, channels]. */
  readonly inputShape: Shape;
  /** Shape of the output for one sample. */
  readonly outputShape: Shape;
  /** Input values per sample: the product of `inputShape`. */
  readonly inputSize: number;
  /** Output values per sample; the number of classes for losses on classes. */
  readonly outputSize: number;
  /** Maximum number of samples in a batch. */
  readonly batchSize: number;
  /** Loss that training minimizes. */
  readonly loss: Loss;
  /** Layers from input to output. */
  readonly layers: readonly Layer[];
  /** Whether the model can compute gradients. */
  readonly training: boolean;
  /** Names of the layers, in order: `conv1`, `relu1`, `dense1`. */
  readonly layerNames: readonly string[];
  /**
   * Trainable parameters by name (`dense1.weight`, `dense1.bias`, …), as optimizers take them.
   * Frozen parameters are left out; with `training: false` there are none.
   */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Tensors of all parameters, frozen ones included, and of all running statistics, by name. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly #learnt: LearntState;
  readonly #settings: ModelSettings;
  readonly #plan: NetworkPlan;
  readonly #network: Network;
  readonly #workspace: number;
  readonly #kernels: NNKernels;
  #disposed = false;

  /** @internal `createModel` calls it. */
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

  /** Class names by class index, if the data of an earlier `fit` had them. */
  get classNames(): readonly string[] | undefined {
    return this.#learnt.history.classNames;
  }

  /** Feature names in the order of a sample's values, if the data of an earlier `fit` had them. */
  get columns(): readonly string[] | undefined {
    return this.#learnt.history.columns;
  }

  /** Elements of all parameters, frozen ones included. */
  get parameterCount(): number {
    return countElements(this.#plan.stages);
  }

  /**
   * Live view of the input batch: batchSize × inputSize values, row-major. Read the property again
   * after any call that may allocate.
   * @throws DisposedError after `dispose`
   */
  get input(): Float32Array {
    this.#check();
    return this.#floats(this.#plan.input, this.batchSize * this.inputSize);
  }

  /**
   * Live view of the batch's classes, one per sample, for losses on classes. Read the property
   * again after any call that may allocate.
   * @throws ArgumentError for a loss on values
   */
  get labels(): Int32Array {
    this.#check();
    if (this.#targetKind !== 'classes')
      throw new ArgumentError('loss', 'a loss on classes (others have targets)', this.loss.kind);
    return new Int32Array(
      this.runtime.memory.buffer,
      this.#workspace + this.#plan.targets,
      this.batchSize,
    );
  }

  /**
   * Live view of the batch's target values, batchSize × outputSize, for losses on values. Read the
   * property again after any call that may allocate.
   * @throws ArgumentError for a loss on classes
   */
  get targets(): Float32Array {
    this.#check();
    if (this.#targetKind !== 'values')
      throw new ArgumentError('loss', 'a loss on values (others have labels)', this.loss.kind);
    return this.#floats(this.#plan.targets, this.batchSize * this.outputSize);
  }

  /**
   * Live view of the outputs of the last pass, batchSize × outputSize. Read the property again
   * after any call that may allocate.
   */
  get output(): Float32Array {
    this.#check();
    return this.#floats(this.#plan.output, this.batchSize * this.outputSize);
  }

  /**
   * Returns the bytes that this model takes of linear memory, or would take with another batch
   * size: how much it adds to `runtime.info.usedBytes`.
   * @param batchSize an integer in [1, 2^24]
   */
  memory(batchSize: number = this.batchSize): ModelMemory {
    checkInteger('batchSize', batchSize, 1, MAX_BATCH);
    return memoryOf(planNetwork({ ...this.#settings, batchSize }), this.training);
  }

  /**
   * Computes the gradients of the mean loss over the first `count` samples of `input` and `labels`
   * (or `targets`), for all parameters.
   *
   * The pass also updates the running statistics of batch norm, but only provisionally: the
   * optimizer's next step commits them if it is accepted and discards them if it is refused. If you
   * change the weights without an optimizer, call `commitStatistics`.
   *
   * @param count number of samples: an integer in [1, batchSize], and at least 2 if the model has
   * batch norm over one position per sample
   * @returns the mean loss, float64
   * @throws ArgumentError for a model with `training: false`, a batch that is too small, or a label
   * or target for which the loss is not defined
   * @throws BusyError while `fit` is training the model
   */
  computeGradients(count: number): number {
    this.#checkBatch(count);
    this.#learnt.checkAccess('computeGradients');
    const { training, minBatchSize } = this;
    if (!training)
      throw new ArgumentError('training', 'a model created with training: true', 'false');
    if (count < minBatchSize) {
      throw new ArgumentError(
        'count',
        `at least ${minBatchSize} samples, so that batch norm has a variance`,
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
   * Commits the running statistics of the passes since the last step. Call it if you change the
   * weights without an optimizer; an optimizer's step does it by itself.
   * @throws BusyError while `fit` is training the model
   */
  commitStatistics(): void {
    this.#check();
    this.#learnt.checkAccess('commitStatistics');
    this.#learnt.commit();
  }

  /**
   * Evaluates the first `count` samples of `input` and `labels` (or `targets`). To evaluate samples
   * of any number, call `evaluate(model, samples)`.
   * @param count number of samples: an integer in [1, batchSize]
   * @returns the mean loss; its weight in a mean over several batches, which is `count` unless
   * class weights are averaged over their sum; and the number of correct classes, 0 for losses on
   * values. A sample with a NaN among its outputs is not correct.
   * @throws ArgumentError for a label or target for which the loss is not defined
   */
  evaluateBatch(count: number): { correct: number; loss: number; weight: number } {
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

  /** @internal Returns the weight of the last pass's loss in a mean over several batches. */
  weighBatch(count: number): number {
    return this.#network.weigh(count);
  }

  /**
   * Computes the outputs for the first `count` samples of `input`. For samples of any number, call
   * `predict(model, features)`.
   * @param count number of samples: an integer in [1, batchSize]
   * @returns a copy: count × outputSize, row-major
   */
  predictBatch(count: number): Float32Array {
    this.#forward(count);
    return this.output.slice(0, count * this.outputSize);
  }

  /**
   * @internal Computes a layer's outputs (0-based index) for the first `count` samples of `input`,
   * as in evaluation. `extractFeatures` does it for any number of samples.
   * @returns a copy of the outputs, and the shape of one sample's
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
   * Returns a copy of all weights and running statistics. By default these are the ones that the
   * model evaluates with, so that a model which loads them predicts the same. To resume training,
   * take `point: 'trained'`, and the optimizer's state dict with it.
   */
  stateDict(options: ModelStateDictOptions = {}): ModelStateDict {
    this.#check();
    return this.#learnt.stateDict(options);
  }

  /**
   * Loads a state dict that a model of the same layers returned.
   * @throws ArgumentError naming the array that does not fit; nothing has changed then. Also while
   * a Schedule-Free optimizer that has stepped holds the parameters, because its state fits only
   * the present weights: load its state dict instead
   * @throws BusyError while `fit` is training the model
   */
  loadStateDict(state: ModelStateDict): void {
    this.#check();
    this.#learnt.checkAccess('loadStateDict');
    this.#learnt.prepareLoad('state', readModelStateDict('state', state))();
  }

  /** @internal The learnt state, for code that loads or averages it together with other state. */
  get learnt(): LearntState {
    this.#check();
    return this.#learnt;
  }

  /**
   * @internal Fewest samples of a training batch: 2 for batch norm over one position per sample.
   */
  get minBatchSize(): number {
    return this.#plan.fewestSamples;
  }

  /**
   * @internal Updates running statistics with the first `count` samples of `input`, under the
   * weights that evaluation reads. `updateStatistics` does it for any number of samples.
   * @param share weight of this batch in the new statistics, in (0, 1]
   * @param estimates the running statistics to update, by name
   */
  observe(count: number, share: number, estimates: Readonly<Record<string, Tensor>>): void {
    this.#checkBatch(count);
    this.#learnt.readForEvaluation();
    const { nextStatistics } = this.#learnt.addresses;
    const own = nextStatistics.map((addresses) => [...addresses]);
    for (const [index, { statistics }] of this.#plan.stages.entries()) {
      for (const [k, { fullName }] of statistics.entries())
        nextStatistics[index][k] = estimates[fullName]?.address ?? 0;
    }
    try {
      this.#network.observe(count, share);
    } finally {
      for (const [index, addresses] of own.entries())
        nextStatistics[index].splice(0, addresses.length, ...addresses);
    }
  }

  /** @internal Names of the running statistics that training updates. */
  get observedStatistics(): readonly string[] {
    return this.#plan.stages
      .slice(this.#plan.evaluated)
      .flatMap(({ statistics }) => statistics.map(({ fullName }) => fullName));
  }

  /**
   * Frees the model's memory. Optimizers, accumulators and averages over its parameters throw
   * DisposedError from then on; dispose of them as well.
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
   * Returns the mean loss of the last pass. A wrong target never has a finite loss, so targets are
   * checked only if the loss is not finite.
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

  /** Draws the initial values, in the order of the layers. */
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
        'a number of samples in model.input (for other samples call predict(model, features))',
        count,
      );
    }
    checkInteger('count', count, 1, this.batchSize);
  }
}
