/** Derives a model's input shape, layers and loss from `--model` and the data. */
import { DataError } from '../index';
import { elementCount } from '../math/shape';
import {
  conv2d,
  dense,
  describeModel,
  embedding,
  flatten,
  type Layer,
  type Loss,
  maxPool2d,
  relu,
  sequential,
  tanh,
} from '../nn';
import { UsageError } from './errors';
import type { LoadedData } from './load-data';
import { layersOf, type ModelStructure } from './model-file';
import { isOnClasses, type ModelSpec } from './model-spec';

/** Description of the model to create. */
export interface BuiltModel {
  readonly structure: ModelStructure;
  readonly loss: Loss;
  /** Title for the summary: "64-64-10", or a list of the layers. */
  readonly title: string;
}

/** Builds a model. @throws UsageError or DataError if the model does not fit the data */
export function buildModel(spec: ModelSpec, data: LoadedData): BuiltModel {
  switch (spec.kind) {
    case 'mlp':
      return mlp(spec, data);
    case 'cnn':
      return onClasses(imageShapeOf(data), convolutional(data.classCount!));
    case 'charlm':
      return onClasses([data.train.featureCount], characterModel(data.classCount!));
    case 'definition':
      return defined(spec, data);
  }
}

function mlp(
  { hidden, outer }: ModelSpec & { kind: 'mlp' },
  { name, kind, train, classCount }: LoadedData,
): BuiltModel {
  const { featureCount } = train;
  const outputs = classCount ?? 1;
  if (kind === 'text')
    throw new UsageError(
      '--model',
      'charlm or <file>.json with --data text:<file>',
      'a model of numbers',
    );
  if (outer && (outer.inputs !== featureCount || outer.classes !== outputs)) {
    const answers = classCount === null ? '1 output' : `${classCount} classes`;
    const expected = `${featureCount} inputs and ${answers}, as in ${name}`;
    throw new UsageError('--model', expected, `${outer.inputs} and ${outer.classes}`);
  }
  const layers = [...hidden.flatMap((units) => [dense(units), relu()]), dense(outputs)];
  const loss: Loss = { kind: classCount === null ? 'meanSquaredError' : 'crossEntropy' };
  return {
    structure: { inputShape: [featureCount], layers },
    loss,
    title: [featureCount, ...hidden, outputs].join('-'),
  };
}

/** Two convolutions, two dense layers; 105,866 parameters for 28 × 28 pixels and 10 classes. */
function convolutional(classCount: number): readonly Layer[] {
  const block = (filters: number) => [
    conv2d(filters, { kernelSize: 3, padding: 'same' }),
    relu(),
    maxPool2d(2),
  ];
  return sequential([block(16), block(32), flatten(), dense(64), relu(), dense(classCount)]);
}

/** Embedded characters and one hidden layer, as in Bengio et al. (2003). */
function characterModel(vocabularySize: number): readonly Layer[] {
  return sequential([
    embedding(vocabularySize, 16),
    flatten(),
    dense(128),
    tanh(),
    dense(vocabularySize),
  ]);
}

function imageShapeOf({ name, train }: LoadedData): readonly number[] {
  const { shape } = train;
  if (shape?.length !== 3)
    throw new UsageError(
      '--model',
      `mlp or softmax for ${name}, which does not consist of images`,
      'cnn',
    );
  const [height, width] = shape;
  if (height < 4 || width < 4) {
    throw new UsageError(
      '--model',
      `mlp or softmax for images of ${height} × ${width} pixels`,
      'cnn, which needs at least 4 × 4',
    );
  }
  return shape;
}

function onClasses(inputShape: readonly number[], layers: readonly Layer[]): BuiltModel {
  return {
    structure: { inputShape, layers },
    loss: { kind: 'crossEntropy' },
    title: describeLayers(inputShape, layers),
  };
}

function defined(
  spec: ModelSpec & { kind: 'definition' },
  { name, train, classCount }: LoadedData,
): BuiltModel {
  const { source, definition } = spec;
  const { inputShape, outputShape } = describeModel(definition);
  const inputs = elementCount(inputShape);
  if (inputs !== train.featureCount) {
    const expected = `an input of ${train.featureCount} numbers in total, as in ${name}`;
    throw new DataError(`${source}: expected ${expected}, got ${inputShape.join(' × ')}`);
  }
  const wanted = classCount ?? 1;
  const outputs = elementCount(outputShape);
  if (outputs !== wanted) {
    const expected = isOnClasses(spec)
      ? `${wanted} outputs, one per class of ${name}`
      : '1 output for the target';
    throw new DataError(`${source}: expected ${expected}, got ${outputs}`);
  }
  const { loss, ...structure } = definition;
  return { structure, loss, title: describeLayers(inputShape, layersOf(structure)) };
}

/** Returns the layers with their first sizes: "28 × 28 × 1, conv2d 16, relu, maxPool2d 2, …". */
function describeLayers(inputShape: readonly number[], layers: readonly Layer[]): string {
  const steps = layers.map(({ kind, ...fields }) => {
    const [size] = Object.values(fields).flat();
    return size === undefined ? kind : `${kind} ${size}`;
  });
  return [inputShape.join(' × '), ...steps].join(', ');
}
