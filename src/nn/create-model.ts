/** The options of a model, checked. */
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
  /** Features a sample: short for `inputShape: [inputSize]`. */
  inputSize?: number;
  /**
   * Sizes of a sample: [features], [steps, features] or [height, width, channels]. One of the two
   * must be given.
   */
  inputShape?: Shape;
  /** From input to output. */
  layers: readonly Layer[];
  /**
   * What training makes small.
   * @default crossEntropy(), for which the outputs are the classes' logits
   */
  loss?: Loss;
  /** Most samples a batch. @default 32 */
  batchSize?: number;
  /** Of the initial weights and of dropout: an integer in [0, 2^53). @default 0 */
  seed?: number;
  /**
   * Parameters that keep their values, by layer (`'conv1'`), by name (`'conv1.weight'`), or by a
   * RegExp or function of the name. They have no gradient, and no gradient is computed below the
   * first layer that is trained. Layers up to the last frozen one below that work in training as in
   * evaluation, batch norm with its running figures. @default none
   */
  freeze?: Freeze;
  /**
   * Without, the model can only predict and evaluate, and has no memory for gradients.
   * @default true
   */
  training?: boolean;
}

/** The sizes of a sample: from 1 to 3 positive integers. */
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
 * Creates a model: `await createModel(runtime, { inputSize: 64, layers: [dense(64), relu(),
 * dense(10)] })`. Initial weights are a function of the seed alone.
 *
 * @throws ArgumentError for options out of range; a layer that does not fit is named: `layers[2]
 * (conv2d)`
 * @throws OutOfMemoryError when it does not fit in linear memory; nothing has been allocated then
 * @example
 * const model = await createModel(runtime, {
 *   inputShape: [28, 28, 1],
 *   layers: sequential([conv2d(16, { kernelSize: 3, padding: 'same' }), relu(), maxPool2d(2), flatten(), dense(10)]),
 * });
 */
export async function createModel(runtime: Runtime, options: ModelOptions): Promise<Model> {
  checkRuntime('runtime', runtime);
  const { settings } = readOptions(options);
  const kernels = await runtime.nn();
  return new Model(runtime, kernels, { ...settings, threads: kernels.threads });
}

/** What a model is before there is one. */
export interface ModelDescription {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Elements of all parameters. */
  readonly parameterCount: number;
}

/**
 * Checks the options of a model, as `createModel` does, and tells what it would be.
 *
 * @throws ArgumentError for options out of range; a layer that does not fit is named: `layers[2]
 * (conv2d)`
 * @example describeModel({ inputSize: 64, layers: [dense(64), relu(), dense(10)] }) // { …,
 * outputShape: [10], parameterCount: 4810 }
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

/** The options with their defaults, checked, and the layers planned. */
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
        'an output of one row, the classes, for a loss on classes',
        describe(output),
      );
    }
    // With one class there is nothing to learn: the loss is 0 whatever the output.
    if (output[0] === 1) {
      const expected =
        'at least 2 outputs, one a class (binaryCrossEntropy() tells yes from no with 1)';
      throw new ArgumentError(last, expected, '1');
    }
  }
  const frozen = frozenNames(freeze, layers, planned, training);
  return { settings: { inputShape, layers, loss, batchSize, seed, training, frozen }, planned };
}

/** Elements that the parameters of such a model would have. */
export function countParameters(input: number | Shape, layers: readonly Layer[]): number {
  const shape = typeof input === 'number' ? [input] : input;
  return countElements(inferShapes(shape, layers));
}
