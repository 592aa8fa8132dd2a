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
import { checkBoolean, checkInteger, checkOptions, fail } from '../validate';
import { checkInput, type InputCheck, inputChecksOf } from './input-checks';
import type { Layer } from './layers';
import type { Shape } from './layers/layer';
import {
  LearntState,
  type ModelStateDict,
  type ModelStateDictOptions,
  readModelStateDict,
} from './learnt-state';
import { ignoredLabel, type Loss, lossKindOf } from './losses';
import { countElements, type ModelMemory, memoryOf } from './model-memory';
import { type LossWeights, Network } from './network';
import {
  type InputPlan,
  type NetworkOptions,
  type NetworkPlan,
  type OutputPlan,
  planNetwork,
} from './network-plan';
import {
  type BatchArrays,
  checkTargets,
  type InputFormat,
  readSampleWeights,
  type SampleFormat,
  type SampleWeights,
  type TargetFormat,
} from './samples';

/** The checked options of a model, with their defaults: see create-model.ts. */
export type ModelSettings = NetworkOptions & { readonly seed: number };

/** The evaluation of one output over a batch. */
interface OutputResult {
  loss: number;
  weight: number;
  correct: number;
  counted: number;
}

/** The largest batch size. */
export const MAX_BATCH = 2 ** 24;

/** The options of a call without any, which then allocates none. */
const NONE: { sampleWeights?: SampleWeights } = Object.freeze({});

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
  /** Shapes of one sample of each input, by name. A chain has one input, `input`. */
  readonly inputShapes: Readonly<Record<string, Shape>>;
  /** Shapes of one sample of each output, by name. A chain has one output, `output`. */
  readonly outputShapes: Readonly<Record<string, Shape>>;
  /** Maximum number of samples in a batch. */
  readonly batchSize: number;
  /** Layers in the order in which they run: those of a graph's nodes, or of a chain. */
  readonly layers: readonly Layer[];
  /** Whether the model can compute gradients. */
  readonly training: boolean;
  /** Names of the layers or nodes, in that order: `conv1`, `relu1`, `dense1`. */
  readonly layerNames: readonly string[];
  /**
   * Trainable parameters by name (`dense1.weight`, `dense1.bias`, …), as optimizers take them.
   * Frozen parameters are left out; with `training: false` there are none.
   */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Tensors of all parameters, frozen ones included, and of all running statistics, by name. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly #learnt: LearntState;
  /** @internal The checked options. */
  readonly settings: ModelSettings;
  readonly #plan: NetworkPlan;
  readonly #network: Network;
  readonly #workspace: number;
  readonly #kernels: NNKernels;
  readonly #inputs: readonly InputFormat[];
  readonly #inputChecks: readonly InputCheck[];
  readonly #targets: readonly TargetFormat[];
  /** The last pass: its number of samples, and whether backward may follow it. */
  #lastPass: { readonly count: number; readonly training: boolean } | null = null;
  #disposed = false;

  /** @internal `createModel` calls it. */
  constructor(runtime: Runtime, kernels: NNKernels, settings: ModelSettings) {
    this.runtime = runtime;
    this.#kernels = kernels;
    this.settings = settings;
    this.#plan = planNetwork(settings);
    const { inputs, outputs } = this.#plan;
    this.inputShapes = shapesByName(inputs);
    this.outputShapes = shapesByName(outputs);
    this.#inputs = inputs.map(({ name, size }) => ({ name, size }));
    this.#inputChecks = inputChecksOf(this.#plan);
    this.#targets = outputs.flatMap(({ name, size, loss, positions, targetsPerSample }) =>
      loss === null
        ? []
        : { name, size: size / positions, positions, loss, perSample: targetsPerSample },
    );
    this.batchSize = settings.batchSize;
    this.layers = Object.freeze(settings.graph.nodes.map(({ layer }) => layer));
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
    this.#network = new Network(this.#plan, kernels, places, settings.seed);
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
   * Shape of one sample: [features], [steps, features] or [height, width, channels].
   * @throws ArgumentError if the model has several inputs; then see `inputShapes`
   */
  get inputShape(): Shape {
    return this.#onlyInput.shape;
  }

  /**
   * Shape of the output for one sample.
   * @throws ArgumentError if the model has several outputs; then see `outputShapes`
   */
  get outputShape(): Shape {
    return this.#onlyOutput.shape;
  }

  /**
   * Input values per sample: the product of `inputShape`.
   * @throws ArgumentError if the model has several inputs
   */
  get inputSize(): number {
    return this.#onlyInput.size;
  }

  /**
   * Output values per sample: the product of `outputShape`.
   * @throws ArgumentError if the model has several outputs
   */
  get outputSize(): number {
    return this.#onlyOutput.size;
  }

  /**
   * Loss that training minimizes; null if training is left to your own loop.
   * @throws ArgumentError if the model has several outputs; then see `losses`
   */
  get loss(): Loss | null {
    return this.#onlyOutput.loss;
  }

  /** Losses by the names of the outputs; null for outputs without one. */
  get losses(): Readonly<Record<string, Loss | null>> {
    return Object.fromEntries(this.#plan.outputs.map(({ name, loss }) => [name, loss]));
  }

  /**
   * Live view of the input batch: batchSize × inputSize values, row-major. Read the property again
   * after any call that may allocate.
   * @throws ArgumentError if the model has several inputs; then see `inputs`
   * @throws DisposedError after `dispose`
   */
  get input(): Float32Array {
    this.#check();
    return this.#batchOf(this.#onlyInput.values, this.#onlyInput.size);
  }

  /**
   * Live views of the input batches by name, each batchSize × values per sample, row-major. Read
   * the property again after any call that may allocate.
   * @throws DisposedError after `dispose`
   */
  get inputs(): Readonly<Record<string, Float32Array>> {
    this.#check();
    return Object.fromEntries(
      this.#plan.inputs.map(({ name, values, size }) => [name, this.#batchOf(values, size)]),
    );
  }

  /**
   * Live view of the batch's classes, one per sample (or position), for losses on classes. Read
   * the property again after any call that may allocate.
   * @throws ArgumentError for a loss on values, or if the model has not exactly one loss; then see
   * `outputTargets`
   */
  get labels(): Int32Array {
    const output = this.#onlyTargets;
    if (lossKindOf(output.loss!).targets !== 'classes') {
      const expected = 'a loss on classes (others have targets)';
      throw new ArgumentError('loss', expected, output.loss!.kind);
    }
    return this.#targetsOf(output) as Int32Array;
  }

  /**
   * Live view of the batch's target values, batchSize × outputSize, for losses on values. Read the
   * property again after any call that may allocate.
   * @throws ArgumentError for a loss on classes, or if the model has not exactly one loss; then see
   * `outputTargets`
   */
  get targets(): Float32Array {
    const output = this.#onlyTargets;
    if (lossKindOf(output.loss!).targets !== 'values') {
      const expected = 'a loss on values (others have labels)';
      throw new ArgumentError('loss', expected, output.loss!.kind);
    }
    return this.#targetsOf(output) as Float32Array;
  }

  /**
   * Live views of the batch's labels or target values, by the names of the outputs that have a
   * loss. Read the property again after any call that may allocate.
   */
  get outputTargets(): Readonly<Record<string, Int32Array | Float32Array>> {
    this.#check();
    return Object.fromEntries(
      this.#plan.outputs
        .filter(({ loss }) => loss !== null)
        .map((output) => [output.name, this.#targetsOf(output)]),
    );
  }

  /**
   * Live view of the outputs of the last pass, batchSize × outputSize. Read the property again
   * after any call that may allocate.
   * @throws ArgumentError if the model has several outputs; then see `outputs`
   */
  get output(): Float32Array {
    this.#check();
    return this.#batchOf(this.#onlyOutput.values, this.#onlyOutput.size);
  }

  /**
   * Live views of the outputs of the last pass by name, each batchSize × values per sample. Read
   * the property again after any call that may allocate.
   */
  get outputs(): Readonly<Record<string, Float32Array>> {
    this.#check();
    return Object.fromEntries(
      this.#plan.outputs.map(({ name, values, size }) => [name, this.#batchOf(values, size)]),
    );
  }

  /**
   * Live views of the gradients by the outputs, in the order of `outputs`. Between `forward` and
   * `backward`, write dL/doutput of the pass's samples here; `forward` sets them to 0. At other
   * times their content has no meaning. Read the property again after any call that may allocate.
   * @throws ArgumentError for a model with `training: false`
   */
  get outputGradients(): Readonly<Record<string, Float32Array>> {
    this.#checkTraining();
    return Object.fromEntries(
      this.#plan.outputs.map(({ name, gradient, size }) => [name, this.#batchOf(gradient, size)]),
    );
  }

  /**
   * Live views of the gradients by the inputs that the last `backward` or `computeGradients` left,
   * by name. Read the property again after any call that may allocate.
   * @throws ArgumentError for a model without `inputGradients: true`
   */
  get inputGradients(): Readonly<Record<string, Float32Array>> {
    this.#checkTraining();
    if (!this.settings.inputGradients)
      throw new ArgumentError(
        'inputGradients',
        'a model created with inputGradients: true',
        'false',
      );
    return Object.fromEntries(
      this.#plan.inputs.map(({ name, gradient, size }) => [name, this.#batchOf(gradient, size)]),
    );
  }

  /**
   * Returns the bytes that this model takes of linear memory, or would take with another batch
   * size: how much it adds to `runtime.info.usedBytes`.
   * @param batchSize an integer in [1, 2^24]
   */
  memory(batchSize: number = this.batchSize): ModelMemory {
    checkInteger('batchSize', batchSize, 1, MAX_BATCH);
    return memoryOf(planNetwork({ ...this.settings, batchSize }), this.training);
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
   * @param options.sampleWeights weights of these samples, as in `Samples`. @default all 1
   * @returns the mean loss, float64
   * @throws ArgumentError for a model with `training: false`, a batch that is too small, or a label
   * or target for which the loss is not defined
   * @throws BusyError while `fit` is training the model
   */
  computeGradients(count: number, options: { sampleWeights?: SampleWeights } = NONE): number {
    const weights = this.#readWeights(count, options);
    this.#checkBatch(count);
    this.#learnt.checkAccess('computeGradients');
    this.#checkTraining();
    this.#checkLoss('computeGradients');
    this.#checkTrainingBatch(count);
    const learnt = this.#learnt;
    this.#lastPass = null;
    learnt.readForTraining();
    try {
      this.#network.forward(count, true, learnt.trainingPasses);
      const loss = this.#computeLoss(count, weights);
      for (const { loss: own, gradient, size } of this.#plan.outputs)
        if (own === null) this.#floats(gradient, count * size).fill(0);
      this.#network.backward();
      this.#network.penalty(true);
      learnt.countPass();
      return loss;
    } catch (error) {
      learnt.discard();
      throw error;
    }
  }

  /**
   * Computes the outputs for the first samples of the inputs, for a training loop of your own: read
   * `outputs`, write dL/doutput to `outputGradients`, call `backward`, then step an optimizer.
   *
   * A pass with `training` drops elements in dropout, normalises with the batch's statistics, and
   * updates the running statistics provisionally, as `computeGradients` does.
   *
   * @param options.training whether the pass works as in training rather than evaluation.
   * @default false
   * @param options.count number of samples: an integer in [1, batchSize]. @default batchSize
   * @throws ArgumentError for `training: true` in a model with `training: false`, or with too few
   * samples
   * @throws BusyError while `fit` is training the model
   * @example
   * model.forward({ training: true, count });
   * const { score } = model.outputs;
   * const { score: gradient } = model.outputGradients;
   * for (let i = 0; i < count; i++) gradient[i] = (2 * (score[i] - wanted[i])) / count;
   * model.backward();
   * optimizer.step();
   */
  forward(options: { training?: boolean; count?: number } = {}): void {
    checkOptions('options', options, ['training', 'count']);
    const { training = false, count = this.batchSize } = options;
    checkBoolean('training', training);
    this.#checkBatch(count);
    this.#learnt.checkAccess('forward');
    this.#lastPass = null;
    if (training) {
      this.#checkTraining();
      this.#checkTrainingBatch(count);
      this.#learnt.readForTraining();
      this.#network.forward(count, true, this.#learnt.trainingPasses);
      this.#learnt.countPass();
    } else {
      this.#learnt.readForEvaluation();
      this.#network.forward(count, false, 0);
    }
    // An output whose gradient nobody writes has none.
    for (const { gradient, size } of this.#plan.outputs)
      if (this.training) this.#floats(gradient, count * size).fill(0);
    this.#lastPass = { count, training };
  }

  /**
   * Computes the gradients of the parameters, and of the inputs in a model with
   * `inputGradients: true`, from the `outputGradients` of the last `forward`. Their content is used
   * up: a second `backward` needs another `forward`.
   *
   * @param options.accumulate whether to add to the gradients of the parameters rather than replace
   * them, in a model with `accumulateGradients: true`. Gradients by the inputs are always replaced.
   * @default false
   * @throws ArgumentError without a `forward` since the last other pass, or for a model with
   * `training: false`
   * @throws BusyError while `fit` is training the model
   */
  backward(options: { accumulate?: boolean } = {}): void {
    checkOptions('options', options, ['accumulate']);
    const { accumulate = false } = options;
    checkBoolean('accumulate', accumulate);
    this.#checkTraining();
    this.#learnt.checkAccess('backward');
    if (accumulate && !this.settings.accumulateGradients) {
      const expected = 'a model created with accumulateGradients: true';
      throw new ArgumentError('accumulate', expected, 'true');
    }
    if (this.#lastPass === null)
      throw new ArgumentError('backward', 'a forward() just before it', 'none');
    this.#lastPass = null;
    this.#network.backward(accumulate);
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
   * @param options.sampleWeights weights of these samples, as in `Samples`. @default all 1
   * @returns the mean loss; its weight in a mean over several batches, which is the number of
   * samples (of positions without ignored ones, for one loss on classes) unless class weights are
   * averaged over their sum; and the number of correct classes, 0 unless there is one loss, on
   * classes. A sample with a NaN among its outputs is not correct.
   * @throws ArgumentError for a label or target for which the loss is not defined
   */
  evaluateBatch(
    count: number,
    options: { sampleWeights?: SampleWeights } = {},
  ): { correct: number; loss: number; weight: number } {
    const results = this.evaluateOutputs(count, options);
    const own = results.reduce((sum, each, index) => sum + this.lossWeights[index] * each.loss, 0);
    const loss = this.#plan.penalties.length > 0 ? own + this.penalty : own;
    const correct = results.length === 1 ? results[0].correct : 0;
    return { correct, loss, weight: this.#network.weigh(count) };
  }

  /**
   * @internal Evaluates the first `count` samples for each output with a loss: its mean loss, the
   * weight of that in a mean over several batches, the number of correct classes, and how many
   * labels were counted.
   */
  evaluateOutputs(count: number, options: { sampleWeights?: SampleWeights } = {}): OutputResult[] {
    this.#checkLoss('evaluateBatch');
    const weights = this.#readWeights(count, options);
    this.#forward(count);
    this.#computeLoss(count, weights);
    const outputs = this.#plan.outputs.filter(({ loss }) => loss !== null);
    return this.lossesOf(count).map((own, index) => ({
      ...own,
      ...this.#correctOf(outputs[index], count),
    }));
  }

  /**
   * @internal Returns the losses of the last pass, in the order of the outputs that have one, and
   * the weight of each in a mean over several batches.
   */
  lossesOf(count: number): { loss: number; weight: number }[] {
    return [...this.#network.losses]
      .filter((_, index) => this.#plan.outputs[index].loss !== null)
      .map((loss, index) => ({ loss, weight: this.#network.weighOutput(index, count) }));
  }

  /** @internal Factors of the losses, in the order of the outputs that have one. */
  get lossWeights(): readonly number[] {
    return this.#plan.outputs.flatMap(({ loss, lossWeight }) => (loss ? lossWeight : []));
  }

  /** Returns how many of the last pass's labels an output has predicted, and how many count. */
  #correctOf(
    { loss, values, targets, size, positions }: OutputPlan,
    count: number,
  ): { correct: number; counted: number } {
    if (lossKindOf(loss!).targets !== 'classes') return { correct: 0, counted: 0 };
    const [output, labels] = [this.#workspace + values, this.#workspace + targets];
    const [rows, cols] = [count * positions, size / positions];
    const ignored = ignoredLabel(loss!);
    return {
      correct: this.#kernels.predictedMatches(output, labels, rows, cols, ignored),
      counted: this.#kernels.labelWeight(labels, 0, rows, cols, ignored),
    };
  }

  /** @internal The sum of the penalties of the weights that the last pass read. */
  get penalty(): number {
    return this.#network.penalty(false);
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
   * @throws ArgumentError if the model has several outputs; then call `forward`
   */
  predictBatch(count: number): Float32Array {
    const { size } = this.#onlyOutput;
    this.#forward(count);
    return this.output.slice(0, count * size);
  }

  /**
   * @internal Computes the outputs for the first `count` samples, as in evaluation; returns live
   * views in their order.
   */
  predictOutputs(count: number): readonly Float32Array[] {
    this.#forward(count);
    return this.#plan.outputs.map(({ values, size }) => this.#floats(values, count * size));
  }

  /**
   * @internal Computes a layer's outputs (0-based index) for the first `count` samples of `input`,
   * as in evaluation. `extractFeatures` does it for any number of samples.
   * @returns a copy of the outputs, and the shape of one sample's
   */
  activations(count: number, layer: number): { shape: Shape; data: Float32Array } {
    this.#checkBatch(count);
    this.#lastPass = null;
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
   * @param seen number of samples so far, those of this batch included
   * @param estimates the running statistics to update, by name
   */
  observe(count: number, seen: number, estimates: Readonly<Record<string, Tensor>>): void {
    this.#checkBatch(count);
    this.#lastPass = null;
    this.#learnt.readForEvaluation();
    const { nextStatistics } = this.#learnt.addresses;
    const own = nextStatistics.map((addresses) => [...addresses]);
    for (const [index, { statistics }] of this.#plan.stages.entries()) {
      for (const [k, { fullName }] of statistics.entries())
        nextStatistics[index][k] = estimates[fullName]?.address ?? 0;
    }
    try {
      this.#network.observe(count, seen);
    } finally {
      for (const [index, addresses] of own.entries())
        nextStatistics[index].splice(0, addresses.length, ...addresses);
    }
  }

  /** @internal Names of the running statistics that training updates. */
  get observedStatistics(): readonly string[] {
    return this.#plan.stages
      .filter(({ evaluated }) => !evaluated)
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

  /** @internal What samples must fit. */
  get format(): SampleFormat {
    const { classNames, columns } = this;
    return { inputs: this.#inputs, targets: this.#targets, classNames, columns };
  }

  /** @internal Live views of the arrays that a batch is copied into. */
  get batch(): BatchArrays {
    this.#check();
    return {
      features: this.#plan.inputs.map(({ values, size }) => this.#batchOf(values, size)),
      targets: this.#plan.outputs
        .filter(({ loss }) => loss !== null)
        .map((output) => this.#targetsOf(output)),
    };
  }

  get #onlyInput(): InputPlan {
    const { inputs } = this.#plan;
    if (inputs.length === 1) return inputs[0];
    const expected = 'a model with one input (see inputs and inputShapes)';
    throw new ArgumentError('model', expected, `one with ${inputs.length}`);
  }

  get #onlyOutput(): OutputPlan {
    const { outputs } = this.#plan;
    if (outputs.length === 1) return outputs[0];
    const expected = 'a model with one output (see outputs and outputShapes)';
    throw new ArgumentError('model', expected, `one with ${outputs.length}`);
  }

  get #onlyTargets(): OutputPlan {
    this.#check();
    const found = this.#plan.outputs.filter(({ loss }) => loss !== null);
    if (found.length === 1) return found[0];
    const expected = 'a model with one loss (see outputTargets)';
    throw new ArgumentError('model', expected, `one with ${found.length}`);
  }

  /** Returns the live view of the targets of an output with a loss. */
  #targetsOf({ loss, targets, targetsPerSample }: OutputPlan): Int32Array | Float32Array {
    if (lossKindOf(loss!).targets === 'values') return this.#batchOf(targets, targetsPerSample);
    const { buffer } = this.runtime.memory;
    return new Int32Array(buffer, this.#workspace + targets, this.batchSize * targetsPerSample);
  }

  /**
   * Returns the mean loss of the last pass. A wrong target never has a finite loss, so targets are
   * checked only if the loss is not finite.
   */
  #computeLoss(count: number, weights: LossWeights | null): number {
    const loss = this.#network.loss(count, weights);
    if (Number.isFinite(loss)) return loss;
    const { outputs } = this.#plan;
    for (const output of outputs) {
      const { name, loss: own, size, positions, targetsPerSample } = output;
      if (own === null) continue;
      const field = lossKindOf(own).targets === 'classes' ? 'labels' : 'targets';
      const argument = outputs.length === 1 ? field : `${field}.${name}`;
      const targets = this.#targetsOf(output).subarray(0, count * targetsPerSample);
      checkTargets(argument, { loss: own, size: size / positions }, targets);
    }
    return loss;
  }

  /** Returns the weights of samples by loss; null if all are 1. */
  #readWeights(count: number, options: { sampleWeights?: SampleWeights }): LossWeights | null {
    if (options === NONE) return null;
    checkOptions('options', options, ['sampleWeights']);
    const { sampleWeights } = options;
    if (sampleWeights === undefined) return null;
    this.#checkBatch(count);
    const format = { targets: this.#targets };
    const weights = readSampleWeights('sampleWeights', format, sampleWeights, count, true)!;
    return this.#targets.map(({ name }) => weights[name] ?? null);
  }

  #forward(count: number): void {
    this.#checkBatch(count);
    this.#lastPass = null;
    this.#learnt.readForEvaluation();
    this.#network.forward(count, false, 0);
  }

  /** Returns a view of `size` floats for each sample of a batch. */
  #batchOf(offset: number, size: number): Float32Array {
    return this.#floats(offset, this.batchSize * size);
  }

  #floats(offset: number, length: number): Float32Array {
    return new Float32Array(this.runtime.memory.buffer, this.#workspace + offset, length);
  }

  /** Draws the initial values, in the order of the layers. */
  #initialise(): void {
    const prng = new Prng(this.settings.seed);
    for (const { parameters, statistics } of this.#plan.stages) {
      for (const { fullName, initialise } of [...parameters, ...statistics])
        initialise?.(this.weights[fullName].data, prng);
    }
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError('the model');
    this.runtime.check('the model');
  }

  #checkTraining(): void {
    this.#check();
    if (!this.training)
      throw new ArgumentError('training', 'a model created with training: true', 'false');
  }

  #checkLoss(what: string): void {
    if (this.#targets.length > 0) return;
    const expected = `a model with a loss (without one, use forward and backward)`;
    throw new ArgumentError(what, expected, 'a model with none');
  }

  #checkTrainingBatch(count: number): void {
    const { minBatchSize } = this;
    if (count >= minBatchSize) return;
    const expected = `at least ${minBatchSize} samples, so that batch norm has a variance`;
    throw new ArgumentError('count', expected, `${count}`);
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
    for (const check of this.#inputChecks) {
      const { values, size } = check.input;
      checkInput(check, this.#floats(values, count * size));
    }
  }
}

/** Returns the shapes of inputs or outputs by name. */
function shapesByName(
  plans: readonly { readonly name: string; readonly shape: Shape }[],
): Readonly<Record<string, Shape>> {
  return Object.freeze(Object.fromEntries(plans.map(({ name, shape }) => [name, shape])));
}
