/**
 * Training workloads, the same for every engine: models, first weights and data from closed
 * formulas, so that engines in other languages (peers/pytorch_training.py, native/twin.c) compute
 * the same numbers themselves.
 *
 * Layouts are those of adal-wasm: dense weights [units][inputs], convolutions
 * [filters][rows][columns][channels], images height × width × channels. Engines with other layouts
 * rearrange the data.
 */

export type Layer =
  | { readonly kind: 'dense'; readonly units: number }
  | { readonly kind: 'conv'; readonly filters: number; readonly size: number }
  | { readonly kind: 'maxPool'; readonly size: number }
  | { readonly kind: 'embedding'; readonly rows: number; readonly dim: number }
  /**
   * A block of a causal transformer: x + attention(norm x), then the same with dense layers of four
   * times the features and a ReLU between them.
   */
  | { readonly kind: 'transformer'; readonly heads: number }
  /** Learnt positions, added. */
  | { readonly kind: 'positions' }
  | { readonly kind: 'batchNorm' | 'flatten' | 'relu' | 'tanh' };

export type LayerKind = Layer['kind'];
export type LayerOf<K extends LayerKind> = Extract<Layer, { readonly kind: K }>;

export type Rule =
  | {
      readonly kind: 'adam';
      readonly lr: number;
      readonly betas: readonly [number, number];
      readonly eps: number;
    }
  | { readonly kind: 'sgd'; readonly lr: number };

/** A model with its data: single steps are timed, or whole fits. */
export interface TrainingWorkload {
  readonly kind: 'step' | 'fit';
  readonly name: string;
  readonly title: string;
  /** Shape of one input. */
  readonly input: readonly number[];
  readonly layers: readonly Layer[];
  readonly classes: number;
  readonly batch: number;
  readonly samples: number;
  /** Of fits. */
  readonly epochs?: number;
  readonly optimizer: Rule;
}

/** A product of an m × k and a k × n matrix. */
export interface ProductWorkload {
  readonly kind: 'gemm';
  readonly name: string;
  readonly title: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export type Workload = TrainingWorkload | ProductWorkload;

const MLP: Layer[] = [
  { kind: 'dense', units: 256 },
  { kind: 'relu' },
  { kind: 'dense', units: 128 },
  { kind: 'relu' },
];
const CNN: Layer[] = [16, 32].flatMap((filters): Layer[] => [
  { kind: 'conv', filters, size: 3 },
  { kind: 'relu' },
  { kind: 'maxPool', size: 2 },
]);
const CHARACTERS: Layer[] = [
  { kind: 'embedding', rows: 64, dim: 16 },
  { kind: 'flatten' },
  { kind: 'dense', units: 128 },
  { kind: 'tanh' },
];
const TRANSFORMER: Layer[] = [
  { kind: 'embedding', rows: 64, dim: 64 },
  { kind: 'positions' },
  { kind: 'transformer', heads: 4 },
  { kind: 'transformer', heads: 4 },
  { kind: 'flatten' },
];
const ADAM: Rule = { kind: 'adam', lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8 };
const SGD: Rule = { kind: 'sgd', lr: 0.1 };

function classifier(
  name: string,
  title: string,
  input: readonly number[],
  layers: readonly Layer[],
  classes: number,
  batch: number,
  rest: Partial<TrainingWorkload> = {},
): TrainingWorkload {
  return {
    name,
    kind: 'step',
    input,
    layers: [...layers, { kind: 'dense', units: classes }],
    classes,
    batch,
    samples: 4 * batch,
    optimizer: ADAM,
    title,
    ...rest,
  };
}

const mlp = (batch: number): TrainingWorkload =>
  classifier(`mlp-${batch}`, `MLP 784-256-128-10, batch ${batch}, Adam`, [784], MLP, 10, batch);

function cnn(batch: number): TrainingWorkload {
  const title = `CNN (conv 16, pool, conv 32, pool, dense 10), batch ${batch}, Adam`;
  return classifier(`cnn-${batch}`, title, [28, 28, 1], [...CNN, { kind: 'flatten' }], 10, batch);
}

const gemm = (m: number, n: number, k: number): ProductWorkload => ({
  name: `gemm-${m}x${n}x${k}`,
  kind: 'gemm',
  title: `${m}×${n}×${k}`,
  m,
  n,
  k,
});

/** Whole fits, from arrays to weights, including the creation of the model. */
const CLASSROOM = classifier(
  'e1',
  'E1: 24 features, batch norm, dense 16, softmax 4; SGD, 160 epochs of 60',
  [24],
  [{ kind: 'batchNorm' }, { kind: 'dense', units: 16 }, { kind: 'relu' }],
  4,
  16,
  { kind: 'fit', samples: 60, epochs: 160, optimizer: SGD },
);
const TRANSFER = classifier(
  'e2',
  'E2: 1280 → 100 → 3; Adam, 50 epochs of 150',
  [1280],
  [{ kind: 'dense', units: 100 }, { kind: 'relu' }],
  3,
  16,
  { kind: 'fit', samples: 150, epochs: 50 },
);

export const WORKLOADS: readonly Workload[] = [
  mlp(32),
  mlp(128),
  cnn(32),
  cnn(128),
  classifier(
    'charlm-64',
    'W7: 8 characters, embedding 16, dense 128, 64 classes; batch 64, Adam',
    [8],
    CHARACTERS,
    64,
    64,
  ),
  classifier(
    'transformer-16',
    'causal transformer (2 blocks of 64 features, 4 heads), 64 characters; batch 16, Adam',
    [64],
    TRANSFORMER,
    64,
    16,
  ),
  gemm(64, 128, 784),
  gemm(64, 256, 784),
  gemm(256, 256, 256),
  gemm(512, 512, 512),
  gemm(1, 512, 512),
  gemm(128, 10, 128),
  CLASSROOM,
  TRANSFER,
];

/**
 * Returns a number in [0, 1) that `index` and `stream` determine: 24 bits of a hash (the finalizer
 * of MurmurHash3).
 */
export function uniform(index: number, stream: number): number {
  let h = (index + Math.imul(stream, 0x9e3779b9)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 8) / 2 ** 24;
}

const DATA_STREAM = 1;
const LABEL_STREAM = 2;
/** Stream of the first parameter array; each array has the next one. */
const WEIGHT_STREAM = 16;

/** Returns the number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

export interface TrainingData {
  /** Inputs, one after another; those of embeddings are indices. */
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

/** Returns the data of a workload. */
export function dataOf({ input, layers, samples, classes }: TrainingWorkload): TrainingData {
  const [first] = layers;
  const rows = first?.kind === 'embedding' ? first.rows : 0;
  const features = Float32Array.from({ length: samples * sizeOf(input) }, (_, i) => {
    const u = uniform(i, DATA_STREAM);
    return rows ? Math.floor(rows * u) : u;
  });
  const labels = Int32Array.from({ length: samples }, (_, i) =>
    Math.floor(classes * uniform(i, LABEL_STREAM)),
  );
  return { features, labels };
}

/** A parameter array with its first values. */
export interface FirstValues {
  readonly name: 'weight' | 'bias' | 'gamma' | 'beta';
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A layer with its input and output shapes and its parameters. */
export type PlannedLayer<L extends Layer = Layer> = L & {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly parameters: readonly FirstValues[];
};

/** Returns every layer with its shapes and first values. */
export function planOf({ input, layers }: TrainingWorkload): PlannedLayer[] {
  let shape = input;
  let stream = WEIGHT_STREAM;
  const weight = (dims: readonly number[], fanIn: number): FirstValues => {
    const limit = Math.sqrt(6 / fanIn);
    const from = stream++;
    const data = Float32Array.from(
      { length: sizeOf(dims) },
      (_, i) => limit * (2 * uniform(i, from) - 1),
    );
    return { name: 'weight', shape: dims, data };
  };
  const vector = (name: FirstValues['name'], length: number, value = 0): FirstValues => ({
    name,
    shape: [length],
    data: new Float32Array(length).fill(value),
  });
  return layers.map((layer) => {
    const from = shape;
    const channels = from.at(-1)!;
    let parameters: FirstValues[] = [];
    switch (layer.kind) {
      case 'dense':
        shape = [layer.units];
        parameters = [weight([layer.units, channels], channels), vector('bias', layer.units)];
        break;
      case 'conv': {
        const { filters, size } = layer;
        shape = [from[0]!, from[1]!, filters];
        const dims = [filters, size, size, channels];
        parameters = [weight(dims, size * size * channels), vector('bias', filters)];
        break;
      }
      case 'maxPool':
        shape = [Math.floor(from[0]! / layer.size), Math.floor(from[1]! / layer.size), channels];
        break;
      case 'embedding':
        shape = [from[0]!, layer.dim];
        parameters = [weight([layer.rows, layer.dim], layer.dim)];
        break;
      case 'flatten':
        shape = [sizeOf(from)];
        break;
      case 'positions':
        parameters = [weight(from, channels)];
        break;
      case 'transformer': {
        const linear = (units: number, inputs: number) => [
          weight([units, inputs], inputs),
          vector('bias', units),
        ];
        const norm = () => [vector('gamma', channels, 1), vector('beta', channels)];
        // The first norm; query, key, value and output; the second norm; the dense layers.
        const attention = Array.from({ length: 4 }, () => linear(channels, channels)).flat();
        const dense = [...linear(4 * channels, channels), ...linear(channels, 4 * channels)];
        parameters = [...norm(), ...attention, ...norm(), ...dense];
        break;
      }
      case 'batchNorm':
        parameters = [vector('gamma', channels, 1), vector('beta', channels)];
    }
    return { ...layer, from, to: shape, parameters };
  });
}

/** Returns the operands of a product. */
export function matricesOf({ m, n, k }: ProductWorkload): { a: Float32Array; b: Float32Array } {
  const random = (length: number, stream: number) =>
    Float32Array.from({ length }, (_, i) => uniform(i, stream) - 0.5);
  return { a: random(m * k, DATA_STREAM), b: random(k * n, LABEL_STREAM) };
}
