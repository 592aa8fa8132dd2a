/** `createModel` and `describeModel`: check the options of a model and plan its layers. */
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import type { Runtime } from '../runtime/runtime';
import { checkInteger, checkOptions, checkRuntime, describe, fail } from '../validate';
import { type Freeze, frozenNames } from './freeze';
import type { Layer } from './layers';
import type { PlannedLayer, Shape } from './layers/layer';
import { checkLoss, type Loss, lossKindOf } from './losses';
import { crossEntropy } from './losses/cross-entropy';
import { MAX_BATCH, Model, type ModelSettings } from './model';
import { countElements } from './model-memory';
import { inferShapes } from './network-plan';

export interface ModelOptions {
  /**
   * Number of features per sample: an integer in [1, 2^24]. Short for `inputShape: [inputSize]`.
   */
  inputSize?: number;
  /**
   * Shape of one sample: [features], [steps, features] or [height, width, channels], with sizes in
   * [1, 2^24]. Either `inputSize` or `inputShape` is required.
   */
  inputShape?: Shape;
  /** Layers from input to output, at least one. */
  layers: readonly Layer[];
  /**
   * Loss that training minimizes.
   * @default crossEntropy(), which takes the outputs as the logits of the classes
   */
  loss?: Loss;
  /**
   * Maximum number of samples in a batch: an integer in [1, 2^24]. Memory for activations grows
   * with it.
   * @default 32
   */
  batchSize?: number;
  /**
   * Seed of the initial weights and of dropout: an integer in [0, 2^53).
   * @default 0
   */
  seed?: number;
  /**
   * Parameters that training does not change: by layer (`'conv1'`), by name (`'conv1.weight'`), or
   * by a RegExp or function of the name. They have no gradients, and no gradient is computed below
   * the first trained layer. Below that layer, the layers up to the last frozen one work in
   * training as in evaluation: batch norm uses its running statistics there.
   * @default none
   */
  freeze?: Freeze;
  /**
   * Whether the model can be trained. If false, it can only predict and evaluate, and takes no
   * memory for gradients.
   * @default true
   */
  training?: boolean;
}

/** Returns the shape of a sample: 1 to 3 positive integers. */
function checkInputShape({ inputSize, inputShape }: ModelOptions): Shape {
  if (inputShape === undefined) return [checkInteger('inputSize', inputSize, 1, 2 ** 24)];
  if (inputSize !== undefined) fail('inputSize', 'nothing beside inputShape', inputSize);
  if (!Array.isArray(inputShape) || inputShape.length < 1 || inputShape.length > 3) {
    fail('inputShape', '[features], [steps, features] or [height, width, channels]', inputShape);
  }
  for (const [index, size] of inputShape.entries())
    checkInteger(`inputShape[${index}]`, size, 1, 2 ** 24);
  return Object.freeze([...inputShape]);
}

/**
 * Creates a model. Its initial weights depend on the layers and the seed alone.
 *
 * @throws ArgumentError for options out of range; a layer that does not fit is named: `layers[2]
 * (conv2d)`
 * @throws OutOfMemoryError if the model does not fit in linear memory; nothing has been allocated
 * then
 * @example
 * const model = await createModel(runtime, {
 *   inputShape: [28, 28, 1],
 *   layers: [
 *     conv2d(16, { kernelSize: 3, padding: 'same' }),
 *     relu(),
 *     maxPool2d(2),
 *     flatten(),
 *     dense(10),
 *   ],
 * });
 */
export async function createModel(runtime: Runtime, options: ModelOptions): Promise<Model> {
  checkRuntime('runtime', runtime);
  const { settings } = readOptions(options);
  const kernels = await runtime.nn();
  return new Model(runtime, kernels, { ...settings, threads: kernels.threads });
}

/** Shapes and size of a model that has not been created. */
export interface ModelDescription {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Elements of all parameters, frozen ones included. */
  readonly parameterCount: number;
}

/**
 * Checks the options of a model as `createModel` does, and returns its shapes and the number of its
 * parameters. Needs no runtime and allocates nothing.
 *
 * @throws ArgumentError for options out of range; a layer that does not fit is named: `layers[2]
 * (conv2d)`
 * @example
 * const { outputShape, parameterCount } = describeModel({
 *   inputSize: 64,
 *   layers: [dense(64), relu(), dense(10)],
 * });
 * console.log(outputShape, parameterCount); // [ 10 ] 4810
 */
export function describeModel(options: ModelOptions): ModelDescription {
  const { settings, planned } = readOptions(options);
  const { inputShape } = settings;
  return {
    inputShape,
    outputShape: planned[planned.length - 1].output,
    parameterCount: countElements(planned),
  };
}

/** Checks the options, fills in the defaults and plans the layers. */
function readOptions(options: ModelOptions): {
  settings: ModelSettings;
  planned: readonly PlannedLayer[];
} {
  checkOptions('options', options, [
    'inputSize',
    'inputShape',
    'layers',
    'loss',
    'batchSize',
    'seed',
    'freeze',
    'training',
  ]);
  const { batchSize = 32, seed = 0, freeze, training = true } = options;
  const inputShape = checkInputShape(options);
  checkInteger('batchSize', batchSize, 1, MAX_BATCH);
  checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (typeof training !== 'boolean') fail('training', 'true or false', training);
  const planned = inferShapes(inputShape, options.layers);
  const layers = Object.freeze([...options.layers]);
  const output = planned[planned.length - 1].output;
  const loss = checkLoss(
    'loss',
    options.loss === undefined ? crossEntropy() : options.loss,
    elementCount(output),
  );
  if (lossKindOf(loss).targets === 'classes') {
    const last = `layers[${planned.length - 1}] (${layers[planned.length - 1].kind})`;
    if (output.length !== 1) {
      throw new ArgumentError(
        last,
        'an output of shape [classes], as a loss on classes needs it',
        describe(output),
      );
    }
    // With one class the loss is always 0.
    if (output[0] === 1) {
      const expected =
        'at least 2 outputs, one per class (binaryCrossEntropy() decides with one output)';
      throw new ArgumentError(last, expected, '1');
    }
  }
  const frozen = frozenNames(freeze, layers, planned, training);
  return { settings: { inputShape, layers, loss, batchSize, seed, training, frozen }, planned };
}
