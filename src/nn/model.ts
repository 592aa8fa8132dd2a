/**
 * A feed-forward classifier whose parameters, activations and gradients all lie in linear memory: a training batch is copied
 * in, and nothing is copied out but the loss.
 *
 * Invariant: all memory is planned for `batchSize` samples at creation; nothing is allocated afterwards.
 */
import { gemmScratchBytes } from '../abi/nn-layout';
import { ArgumentError, DisposedError } from '../errors';
import { Prng } from '../math/prng';
import type { NNKernels } from '../runtime/kernels-nn';
import type { Runtime } from '../runtime/runtime';
import { Parameter } from '../tensors/parameter';
import { Tensor } from '../tensors/tensor';
import { createRecord } from '../tensors/views';
import { checkInteger, checkOptions, fail } from '../validate';
import { checkLayers, type Layer } from './layers';

export interface ModelOptions {
  /** Features a sample. */
  inputSize: number;
  /** From input to logits: the last one's units are the classes. */
  layers: readonly Layer[];
  /** Most samples a batch. @default 32 */
  batchSize?: number;
  /** Of the initial weights: an integer in [0, 2^53). @default 0 */
  seed?: number;
}

/** A layer with its place in memory. */
interface Stage {
  readonly layer: Layer;
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Tensor;
  /** Gradient of the loss by the activation. */
  readonly delta: Tensor;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
}

export class Model {
  readonly runtime: Runtime;
  readonly inputSize: number;
  readonly classCount: number;
  readonly batchSize: number;
  /** Trainable parameters by name (`dense1.weight`, `dense1.bias`, …): give them to an optimizer as they are. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly #kernels: NNKernels;
  readonly #stages: readonly Stage[];
  readonly #input: Tensor;
  readonly #labels: Tensor;
  readonly #scratch: number;
  #disposed = false;

  /** @internal Use `createModel`. */
  constructor(runtime: Runtime, kernels: NNKernels, options: Required<ModelOptions>) {
    this.runtime = runtime;
    this.#kernels = kernels;
    this.inputSize = options.inputSize;
    this.batchSize = options.batchSize;
    const parameters = createRecord<Parameter>();
    this.#input = new Tensor(runtime, [options.batchSize, options.inputSize]);
    this.#labels = new Tensor(runtime, [options.batchSize]);
    this.#stages = planStages(runtime, options, parameters);
    this.parameters = Object.freeze(parameters);
    this.classCount = this.#stages[this.#stages.length - 1].outputs;
    this.#scratch = runtime.arena.allocate(scratchBytes(this.#stages, options.batchSize));
    initialise(parameters, new Prng(options.seed));
  }

  /** Elements of all parameters. */
  get parameterCount(): number {
    return Object.values(this.parameters).reduce((sum, { value }) => sum + value.length, 0);
  }

  /** Where a batch of up to `batchSize` × `inputSize` features goes, row-major. Ask again after anything that may allocate. */
  get input(): Float32Array {
    this.#check();
    return this.#input.data;
  }

  /** Where the labels of a batch go. */
  get labels(): Int32Array {
    this.#check();
    return new Int32Array(this.runtime.memory.buffer, this.#labels.address, this.batchSize);
  }

  /**
   * Forward and backward over the `count` samples in `input` and `labels`: all parameters' gradients of the mean loss.
   * @returns the mean softmax cross-entropy in nats, float64
   */
  computeGradients(count: number): number {
    this.#checkBatch(count);
    const logits = this.#forward(count);
    const { delta } = this.#stages[this.#stages.length - 1];
    const labels = this.#labels.address;
    const loss = this.#kernels.softmaxCrossEntropy(delta.address, logits, labels, 0, count, this.classCount);
    for (let index = this.#stages.length - 1; index >= 0; index--) this.#backward(index, count);
    return loss;
  }

  /** Forward over the `count` samples in `input` and `labels`: how many the model gets right, and its mean loss. */
  evaluate(count: number): { correct: number; loss: number } {
    this.#checkBatch(count);
    const logits = this.#forward(count);
    const { delta } = this.#stages[this.#stages.length - 1];
    const labels = this.#labels.address;
    const correct = this.#kernels.predictedMatches(logits, labels, count, this.classCount);
    const loss = this.#kernels.softmaxCrossEntropy(delta.address, logits, labels, 0, count, this.classCount);
    return { correct, loss };
  }

  /** Forward over the `count` samples in `input`; a copy of the logits, count × classes. */
  predict(count: number): Float32Array {
    this.#checkBatch(count);
    this.#forward(count);
    return this.#stages[this.#stages.length - 1].activation.data.slice(0, count * this.classCount);
  }

  /** Frees the memory. Optimizers over these parameters must be disposed first. */
  dispose(): void {
    if (this.#disposed) return;
    if (!this.runtime.disposed) this.runtime.check('the model');
    this.#disposed = true;
    if (this.runtime.disposed) return;
    this.runtime.arena.release(this.#scratch);
    this.#input.dispose();
    this.#labels.dispose();
    for (const { activation, delta } of this.#stages) {
      activation.dispose();
      delta.dispose();
    }
    for (const parameter of Object.values(this.parameters)) parameter.dispose();
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError('the model');
    this.runtime.check('the model');
  }

  #checkBatch(count: number): void {
    this.#check();
    checkInteger('count', count, 1, this.batchSize);
  }

  /** Runs all layers; the address of the logits. */
  #forward(count: number): number {
    const kernels = this.#kernels;
    let x = this.#input.address;
    for (let index = 0; index < this.#stages.length; index++) {
      const { inputs, outputs, activation, weight, bias } = this.#stages[index];
      const y = activation.address;
      if (weight && bias) {
        kernels.gemmNT(y, x, weight.value.address, count, outputs, inputs, this.#scratch);
        kernels.biasAdd(y, bias.value.address, count, outputs);
      } else {
        kernels.relu(y, x, count * outputs);
      }
      x = y;
    }
    return x;
  }

  /** From the gradient by a layer's output to those by its parameters and, unless it is the first, its input. */
  #backward(index: number, count: number): void {
    const kernels = this.#kernels;
    const { inputs, outputs, activation, delta, weight, bias } = this.#stages[index];
    const before = index > 0 ? this.#stages[index - 1] : null;
    const x = before ? before.activation.address : this.#input.address;
    const dy = delta.address;
    if (weight && bias) {
      kernels.gemmTN(weight.grad.address, dy, x, outputs, inputs, count, this.#scratch);
      kernels.biasGrad(bias.grad.address, dy, count, outputs);
      if (before) kernels.gemmNN(before.delta.address, dy, weight.value.address, count, inputs, outputs, this.#scratch);
    } else if (before) {
      kernels.reluGrad(before.delta.address, dy, activation.address, count * outputs);
    }
  }
}

function planStages(
  runtime: Runtime,
  { inputSize, layers, batchSize }: Required<ModelOptions>,
  parameters: Record<string, Parameter>,
): Stage[] {
  let inputs = inputSize;
  let denseCount = 0;
  return layers.map((layer) => {
    const outputs = layer.kind === 'dense' ? layer.units : inputs;
    let weight: Parameter | null = null;
    let bias: Parameter | null = null;
    if (layer.kind === 'dense') {
      const name = `dense${++denseCount}`;
      weight = parameters[`${name}.weight`] = new Parameter(runtime, [outputs, inputs]);
      bias = parameters[`${name}.bias`] = new Parameter(runtime, [outputs]);
    }
    const activation = new Tensor(runtime, [batchSize, outputs]);
    const delta = new Tensor(runtime, [batchSize, outputs]);
    const stage = { layer, inputs, outputs, activation, delta, weight, bias };
    inputs = outputs;
    return stage;
  });
}

/** The most that any of the layers' products needs. */
function scratchBytes(stages: readonly Stage[], batchSize: number): number {
  let bytes = 0;
  for (const { inputs, outputs } of stages) {
    bytes = Math.max(bytes, gemmScratchBytes(batchSize, outputs, inputs));
    bytes = Math.max(bytes, gemmScratchBytes(outputs, inputs, batchSize));
    bytes = Math.max(bytes, gemmScratchBytes(batchSize, inputs, outputs));
  }
  return bytes;
}

/** Weights uniform in ±√(6/inputs) (He et al. 2015), biases 0. */
function initialise(parameters: Readonly<Record<string, Parameter>>, prng: Prng): void {
  for (const { value } of Object.values(parameters)) {
    if (value.shape.length < 2) continue;
    const bound = Math.sqrt(6 / value.shape[1]);
    const { data } = value;
    for (let i = 0; i < data.length; i++) data[i] = bound * (2 * prng.uniform() - 1);
  }
}

/**
 * Creates a model: `await createModel(runtime, { inputSize: 64, layers: [dense(64), relu(), dense(10)] })`.
 * Initial weights are a function of the seed alone.
 *
 * @throws ArgumentError for options out of range
 * @throws OutOfMemoryError when it does not fit in linear memory
 */
export async function createModel(runtime: Runtime, options: ModelOptions): Promise<Model> {
  checkOptions('options', options, ['inputSize', 'layers', 'batchSize', 'seed']);
  const { inputSize, batchSize = 32, seed = 0 } = options;
  checkInteger('inputSize', inputSize, 1, 2 ** 24);
  checkInteger('batchSize', batchSize, 1, 2 ** 24);
  checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const layers = checkLayers('layers', options.layers);
  if (layers[layers.length - 1].kind !== 'dense')
    fail(`layers[${layers.length - 1}]`, 'dense(classes) as the last layer', layers[layers.length - 1]);
  const kernels = await runtime.nn();
  return new Model(runtime, kernels, { inputSize, layers, batchSize, seed });
}

/** Elements that the parameters of such a model would have. */
export function countParameters(inputSize: number, layers: readonly Layer[]): number {
  let inputs = inputSize;
  let count = 0;
  for (const layer of checkLayers('layers', layers)) {
    if (layer.kind !== 'dense') continue;
    count += layer.units * (inputs + 1);
    inputs = layer.units;
  }
  return count;
}

/** Throws unless the data fit the model. */
export function checkData(model: Model, data: { featureCount: number; classCount: number; name: string }): void {
  if (data.featureCount !== model.inputSize) {
    throw new ArgumentError('data', `${model.inputSize} features a sample`, `${data.featureCount} (${data.name})`);
  }
  if (data.classCount > model.classCount) {
    throw new ArgumentError('data', `at most ${model.classCount} classes`, `${data.classCount} (${data.name})`);
  }
}
