/**
 * A feed-forward network whose parameters, activations and gradients all lie in linear memory: a training batch is copied in, and
 * nothing is copied out but the loss.
 *
 * Invariant: all memory is planned for `batchSize` samples at creation; nothing is allocated afterwards.
 */
import { ArgumentError, DisposedError } from '../errors';
import { Prng } from '../math/prng';
import { elementCount } from '../math/shape';
import type { NNKernels } from '../runtime/kernels-nn';
import type { Runtime } from '../runtime/runtime';
import { Parameter } from '../tensors/parameter';
import { Tensor } from '../tensors/tensor';
import { createRecord } from '../tensors/views';
import { checkInteger, checkOptions, fail } from '../validate';
import type { Layer } from './layers';
import type { Shape } from './layers/layer';
import { type Loss, lossKindOf } from './losses';
import { countElements, type ModelMemory, memoryOf } from './model-memory';
import { Network } from './network';
import { type NamedArray, type NetworkOptions, type NetworkPlan, planNetwork } from './network-plan';
import { checkTargets } from './samples';
import { TrainingHistory, type TrainingHistoryState } from './training-history';

/** Everything that a model has learnt: copies, by name, and how many training passes dropout has seen. */
export interface ModelState extends TrainingHistoryState {
  readonly arrays: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;
  readonly trainingPasses: number;
}

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
   * Parameters to train, by name (`dense1.weight`, `dense1.bias`, …): give them to an optimizer as they are. Frozen ones are not
   * among them; without training there are none.
   */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** All that makes up the model, by name: values of the parameters, and running figures. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly #settings: ModelSettings;
  readonly #plan: NetworkPlan;
  readonly #network: Network;
  readonly #workspace: number;
  /** What forward passes read: one list a layer, rewritten by `#readWeights`. */
  readonly #weightAddresses: number[][];
  readonly #kernels: NNKernels;
  /** @internal Names and epochs of what the model was trained with. */
  readonly history = new TrainingHistory();
  #trainingPasses = 0;
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
    const parameters = createRecord<Parameter>();
    const weights = createRecord<Tensor>();
    this.parameters = parameters;
    this.weights = weights;
    try {
      this.#allocateWeights(parameters, weights);
      this.#workspace = runtime.arena.allocate(this.#plan.workspaceBytes);
    } catch (error) {
      for (const tensor of Object.values(weights)) tensor.dispose();
      for (const { grad } of Object.values(parameters)) grad.dispose();
      throw error;
    }
    Object.freeze(parameters);
    Object.freeze(weights);
    const addresses = (arrays: readonly NamedArray[]) => arrays.map(({ fullName }) => weights[fullName].address);
    this.#weightAddresses = this.#plan.stages.map((stage) => addresses(stage.parameters));
    const places = {
      workspace: this.#workspace,
      weights: this.#weightAddresses,
      gradients: this.#plan.stages.map((stage) =>
        stage.parameters.map(({ fullName }) => parameters[fullName]?.grad.address ?? 0),
      ),
      statistics: this.#plan.stages.map((stage) => addresses(stage.statistics)),
    };
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
    return this.history.classNames;
  }

  /** The features' names in their order, if the data of the model's first `fit` told them. */
  get columns(): readonly string[] | undefined {
    return this.history.columns;
  }

  /** Elements of all parameters. */
  get parameterCount(): number {
    return countElements(this.#plan.stages);
  }

  /** Where a batch of up to `batchSize` samples goes, each row-major. Ask again after anything that may allocate. */
  get input(): Float32Array {
    this.#check();
    return this.#floats(this.#plan.input, this.batchSize * this.inputSize);
  }

  /** Where the classes of a batch go, for losses on classes. */
  get labels(): Int32Array {
    this.#check();
    if (this.#targetKind !== 'classes') throw new ArgumentError('loss', 'one on classes, to have labels', this.loss.kind);
    return new Int32Array(this.runtime.memory.buffer, this.#workspace + this.#plan.targets, this.batchSize);
  }

  /** Where the target values of a batch go, `outputSize` a sample, for losses on values. */
  get targets(): Float32Array {
    this.#check();
    if (this.#targetKind !== 'values') throw new ArgumentError('loss', 'one on values, to have targets', this.loss.kind);
    return this.#floats(this.#plan.targets, this.batchSize * this.outputSize);
  }

  /** What the last pass gave, `outputSize` a sample. Ask again after anything that may allocate. */
  get output(): Float32Array {
    this.#check();
    return this.#floats(this.#plan.output, this.batchSize * this.outputSize);
  }

  /** Bytes that such a model takes with batches of another size: what it would add to `runtime.info.usedBytes`. */
  memory(batchSize: number = this.batchSize): ModelMemory {
    checkInteger('batchSize', batchSize, 1, MAX_BATCH);
    return memoryOf(planNetwork({ ...this.#settings, batchSize }), this.training);
  }

  /**
   * Forward and backward over the first `count` samples of `input` and `labels` (or `targets`): all parameters' gradients of the
   * mean loss.
   * @returns the mean loss, float64
   * @throws ArgumentError for a model without training, a label that is no class, or a target for which the loss is not defined
   */
  computeGradients(count: number): number {
    this.#checkBatch(count);
    if (!this.training) throw new ArgumentError('training', 'a model created with training: true', 'false');
    this.#readWeights(true);
    this.#network.forward(count, true, this.#trainingPasses);
    const loss = this.#computeLoss(count);
    this.#network.backward();
    this.#trainingPasses = (this.#trainingPasses + 1) % 2 ** 32;
    return loss;
  }

  /**
   * Forward over the first `count` samples of `input` and the targets.
   * @returns the mean loss; what it counts in a mean over several batches, which is `count` unless class weights are averaged over
   * their sum; and for classes how many are right. A sample any of whose outputs is NaN is not right.
   * @throws ArgumentError for a label that is no class, or a target for which the loss is not defined
   */
  evaluate(count: number): { correct: number; loss: number; weight: number } {
    this.#forward(count);
    const loss = this.#computeLoss(count);
    const [output, targets] = [this.#workspace + this.#plan.output, this.#workspace + this.#plan.targets];
    const classes = this.#targetKind === 'classes';
    const correct = classes ? this.#kernels.predictedMatches(output, targets, count, this.outputSize) : 0;
    return { correct, loss, weight: this.#network.weigh(count) };
  }

  /** @internal What the loss of the last pass's `count` samples counts in a mean over several batches. */
  weighBatch(count: number): number {
    return this.#network.weigh(count);
  }

  /** Forward over the first `count` samples of `input`; a copy of the outputs, count × outputs. */
  predict(count: number): Float32Array {
    this.#forward(count);
    return this.output.slice(0, count * this.outputSize);
  }

  /**
   * @internal Forward over the first `count` samples of `input` up to a layer (0-based), as in evaluation: a copy of its outputs.
   * `extractFeatures` does it for any number of samples.
   */
  activations(count: number, layer: number): { shape: Shape; data: Float32Array } {
    this.#checkBatch(count);
    this.#readWeights(false);
    this.#network.forward(count, false, 0, layer + 1);
    const { y, layer: planned } = this.#plan.stages[layer];
    return { shape: planned.output, data: this.#floats(y, count * elementCount(planned.output)).slice() };
  }

  /** Copies of everything the model has learnt. */
  stateDict(): ModelState {
    this.#check();
    const arrays = createRecord<{ shape: readonly number[]; data: Float32Array }>();
    for (const [name, { shape, data }] of Object.entries(this.weights)) arrays[name] = { shape, data: data.slice() };
    return { arrays, trainingPasses: this.#trainingPasses, ...this.history.stateDict() };
  }

  /**
   * Takes over what `stateDict` returned.
   * @throws ArgumentError naming the array that does not fit; nothing has changed then
   */
  loadStateDict(state: ModelState): void {
    this.#check();
    checkOptions('state', state, ['arrays', 'trainingPasses', 'classNames', 'columns', 'epochs']);
    const loadHistory = this.history.prepareLoad('state', state);
    const passes = checkInteger('state.trainingPasses', state.trainingPasses, 0, 2 ** 32 - 1);
    checkOptions('state.arrays', state.arrays, Object.keys(this.weights));
    for (const [name, { length }] of Object.entries(this.weights)) {
      const data = state.arrays[name]?.data;
      if (!(data instanceof Float32Array) || data.length !== length) {
        fail(`state.arrays.${name}.data`, `a Float32Array of ${length} elements`, data);
      }
    }
    for (const [name, tensor] of Object.entries(this.weights)) tensor.data.set(state.arrays[name].data);
    this.#trainingPasses = passes;
    loadHistory();
  }

  /** Frees the memory. Optimizers over these parameters must be disposed first. */
  dispose(): void {
    if (this.#disposed) return;
    if (!this.runtime.disposed) this.runtime.check('the model');
    this.#disposed = true;
    if (this.runtime.disposed) return;
    this.runtime.arena.release(this.#workspace);
    for (const tensor of Object.values(this.weights)) tensor.dispose();
    for (const { grad } of Object.values(this.parameters)) grad.dispose();
  }

  get #targetKind(): 'classes' | 'values' {
    return lossKindOf(this.loss).targets;
  }

  /** The mean loss of the last pass. Targets are looked at only when it is not finite, as the loss of a wrong one never is. */
  #computeLoss(count: number): number {
    const loss = this.#network.loss(count);
    if (Number.isFinite(loss)) return loss;
    if (this.#targetKind === 'classes') checkTargets('labels', this, this.labels.subarray(0, count));
    else checkTargets('targets', this, this.targets.subarray(0, count * this.outputSize));
    return loss;
  }

  #forward(count: number): void {
    this.#checkBatch(count);
    this.#readWeights(false);
    this.#network.forward(count, false, 0);
  }

  /** Says where the coming pass reads the parameters: where they are trained, or what stands in for them in evaluation. */
  #readWeights(training: boolean): void {
    const { stages } = this.#plan;
    for (let index = 0; index < stages.length; index++) {
      const { parameters } = stages[index];
      const addresses = this.#weightAddresses[index];
      for (let k = 0; k < addresses.length; k++) addresses[k] = this.#tensorToRead(parameters[k].fullName, training).address;
    }
  }

  #tensorToRead(name: string, training: boolean): Tensor {
    return (training ? undefined : this.parameters[name]?.evaluationValue) ?? this.weights[name];
  }

  #floats(offset: number, length: number): Float32Array {
    return new Float32Array(this.runtime.memory.buffer, this.#workspace + offset, length);
  }

  #allocateWeights(parameters: Record<string, Parameter>, weights: Record<string, Tensor>): void {
    for (const stage of this.#plan.stages) {
      for (const { fullName, shape, frozen } of stage.parameters) {
        if (this.training && !frozen) weights[fullName] = (parameters[fullName] = new Parameter(this.runtime, shape)).value;
        else weights[fullName] = new Tensor(this.runtime, shape);
      }
      for (const { fullName, shape } of stage.statistics) weights[fullName] = new Tensor(this.runtime, shape);
    }
  }

  /** First values, drawn in the order of the layers. */
  #initialise(): void {
    const prng = new Prng(this.#settings.seed);
    for (const { parameters, statistics } of this.#plan.stages) {
      for (const { fullName, initialise } of [...parameters, ...statistics]) initialise?.(this.weights[fullName].data, prng);
    }
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError('the model');
    this.runtime.check('the model');
  }

  #checkBatch(count: number): void {
    this.#check();
    checkInteger('count', count, 1, this.batchSize);
  }
}
