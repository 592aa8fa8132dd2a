/**
 * Training workloads, the same for every engine: models, first weights and data from closed
 * formulas, so that engines in other languages (peers/pytorch_training.py, native/twin.c) compute
 * the same numbers themselves.
 *
 * Layouts are those of adal-wasm: dense weights [units][inputs], convolutions
 * [filters][rows][columns][channels], depthwise ones [rows][columns][channels], images height ×
 * width × channels, sequences steps × features. Engines with other layouts rearrange the data.
 */

export type Layer =
  /** By the last axis: of sequences, every step. */
  | { readonly kind: 'dense'; readonly units: number }
  /** With (size - 1)/2 zeros around the image. @default stride 1, with biases */
  | {
      readonly kind: 'conv';
      readonly filters: number;
      readonly size: number;
      readonly stride?: number;
      readonly useBias?: boolean;
    }
  /** One kernel a channel, without biases; padding as of 'conv'. */
  | { readonly kind: 'depthwise'; readonly size: number; readonly stride: number }
  /** Over sequences; padding as of 'conv'. */
  | { readonly kind: 'conv1d'; readonly filters: number; readonly size: number }
  | { readonly kind: 'maxPool'; readonly size: number }
  | { readonly kind: 'maxPool1d'; readonly size: number }
  /** Gates i f g o, one bias; returns all steps. */
  | { readonly kind: 'lstm'; readonly units: number }
  /** Gates r z n, two biases, the reset gate after the product; returns the last step. */
  | { readonly kind: 'gru'; readonly units: number }
  | { readonly kind: 'embedding'; readonly rows: number; readonly dim: number }
  /**
   * A block of a causal transformer: x + attention(norm x), then the same with dense layers of four
   * times the features and a ReLU between them.
   */
  | { readonly kind: 'transformer'; readonly heads: number }
  /** Learnt positions, added. */
  | { readonly kind: 'positions' }
  | { readonly kind: 'batchNorm' | 'flatten' | 'globalAvgPool' | 'relu' | 'relu6' | 'tanh' };

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
  /** Labels of one sample: one, or one a step. */
  readonly targets: number;
  readonly batch: number;
  readonly samples: number;
  /** Of fits. */
  readonly epochs?: number;
  readonly optimizer: Rule;
}

/** Which operand of a product lies transposed in memory: none, B or A. */
export type ProductForm = 'NN' | 'NT' | 'TN';

/** A product of an m × k and a k × n matrix. */
export interface ProductWorkload {
  readonly kind: 'gemm';
  readonly name: string;
  readonly title: string;
  readonly form: ProductForm;
  /** Whether a layer's kernel has this product, which is then compared with the peak of a core. */
  readonly ofLayer: boolean;
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
const LSTM: Layer[] = [
  { kind: 'embedding', rows: 64, dim: 64 },
  { kind: 'lstm', units: 128 },
];
const KEYWORDS: Layer[] = [
  ...[64, 64].flatMap((filters): Layer[] => [
    { kind: 'conv1d', filters, size: 5 },
    { kind: 'relu' },
    { kind: 'maxPool1d', size: 2 },
  ]),
  { kind: 'conv1d', filters: 128, size: 3 },
  { kind: 'relu' },
  { kind: 'globalAvgPool' },
];
/** The first blocks of MobileNet with a quarter of its channels, and fewer repetitions. */
const BLOCKS = [
  [16, 1],
  [32, 2],
  [32, 1],
  [64, 2],
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
] as const;
const NORMAL: Layer[] = [{ kind: 'batchNorm' }, { kind: 'relu6' }];
const MOBILE: Layer[] = [
  { kind: 'conv', filters: 8, size: 3, stride: 2, useBias: false },
  ...NORMAL,
  ...BLOCKS.flatMap(([filters, stride]): Layer[] => [
    { kind: 'depthwise', size: 3, stride },
    ...NORMAL,
    { kind: 'conv', filters, size: 1, useBias: false },
    ...NORMAL,
  ]),
  { kind: 'globalAvgPool' },
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
    targets: 1,
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
  form: 'NN',
  ofLayer: false,
  m,
  n,
  k,
});

/** Returns the multiplications and additions of a product. */
export const operationsOf = ({ m, n, k }: ProductWorkload): number => 2 * m * n * k;

/** A product of a layer of these workloads. */
const layerGemm = (
  layer: string,
  role: string,
  form: ProductForm,
  m: number,
  n: number,
  k: number,
): ProductWorkload => ({
  ...gemm(m, n, k),
  name: `gemm-${layer}-${role.replaceAll(' ', '-')}`,
  title: `${layer}, ${role} (${form} ${m}×${n}×${k})`,
  form,
  ofLayer: true,
});

/** The products of lstm-32, gru-sensor and transformer-16, in the order in which they run. */
const LAYER_PRODUCTS: readonly ProductWorkload[] = [
  layerGemm('lstm', 'inputs', 'NT', 1024, 512, 64),
  layerGemm('lstm', 'step', 'NN', 32, 512, 128),
  layerGemm('lstm', 'step back', 'NN', 32, 128, 512),
  layerGemm('lstm', 'recurrent weights', 'TN', 512, 128, 1024),
  layerGemm('lstm', 'input weights', 'TN', 512, 64, 1024),
  layerGemm('lstm', 'inputs back', 'NN', 1024, 64, 512),
  layerGemm('gru', 'step', 'NN', 32, 192, 64),
  layerGemm('gru', 'step back', 'NN', 32, 64, 192),
  layerGemm('gru', 'recurrent weights', 'TN', 192, 64, 3200),
  layerGemm('attention', 'projection', 'NT', 1024, 64, 64),
  layerGemm('attention', 'scores', 'NT', 64, 64, 16),
  layerGemm('attention', 'scores of 32', 'NT', 64, 64, 32),
  layerGemm('attention', 'values', 'NN', 64, 16, 64),
  layerGemm('attention', 'values of 32', 'NN', 64, 32, 64),
  layerGemm('attention', 'weights', 'TN', 64, 64, 1024),
];

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
  classifier(
    'lstm-32',
    'char-LSTM of 128 units, 32 steps, embedding 64, a class a step; batch 32, Adam',
    [32],
    LSTM,
    64,
    32,
    { targets: 32 },
  ),
  classifier(
    'gru-sensor',
    'GRU of 64 units over 100 steps of 6 channels, 6 classes; batch 32, Adam',
    [100, 6],
    [{ kind: 'gru', units: 64 }],
    6,
    32,
  ),
  classifier(
    'conv1d-keywords',
    'keywords: 98 frames of 40, conv1d 64, 64 and 128, 12 classes; batch 32, Adam',
    [98, 40],
    KEYWORDS,
    12,
    32,
  ),
  classifier(
    'depthwise-96',
    'MobileNet of 0.25 (9 depthwise blocks), 96 × 96 × 3, 10 classes; batch 8, Adam',
    [96, 96, 3],
    MOBILE,
    10,
    8,
    // At a rate of 1e-3, PyTorch's own losses were 1e-3 apart in float32 and float64 by step three.
    { optimizer: { ...ADAM, lr: 1e-4 } },
  ),
  gemm(64, 128, 784),
  gemm(64, 256, 784),
  gemm(256, 256, 256),
  gemm(512, 512, 512),
  gemm(1, 512, 512),
  gemm(128, 10, 128),
  ...LAYER_PRODUCTS,
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
export function dataOf(workload: TrainingWorkload): TrainingData {
  const { input, layers, samples, classes, targets } = workload;
  const [first] = layers;
  const rows = first?.kind === 'embedding' ? first.rows : 0;
  const features = Float32Array.from({ length: samples * sizeOf(input) }, (_, i) => {
    const u = uniform(i, DATA_STREAM);
    return rows ? Math.floor(rows * u) : u;
  });
  const labels = Int32Array.from({ length: samples * targets }, (_, i) =>
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

/** Returns height and width of the output of a window, whose padding keeps them at stride 1. */
const strided = ([height, width]: readonly number[], stride: number): number[] =>
  [height!, width!].map((length) => Math.ceil(length / stride));

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
  const linear = (units: number, inputs: number) => [
    weight([units, inputs], inputs),
    vector('bias', units),
  ];
  return layers.map((layer) => {
    const from = shape;
    const channels = from.at(-1)!;
    let parameters: FirstValues[] = [];
    switch (layer.kind) {
      case 'dense':
        shape = [...from.slice(0, -1), layer.units];
        parameters = linear(layer.units, channels);
        break;
      case 'conv': {
        const { filters, size, stride = 1, useBias = true } = layer;
        shape = [...strided(from, stride), filters];
        const dims = [filters, size, size, channels];
        parameters = [weight(dims, size * size * channels)];
        if (useBias) parameters.push(vector('bias', filters));
        break;
      }
      case 'depthwise': {
        const { size, stride } = layer;
        shape = [...strided(from, stride), channels];
        parameters = [weight([size, size, channels, 1], size * size)];
        break;
      }
      case 'conv1d': {
        const { filters, size } = layer;
        shape = [from[0]!, filters];
        const dims = [filters, size, channels];
        parameters = [weight(dims, size * channels), vector('bias', filters)];
        break;
      }
      case 'maxPool':
      case 'maxPool1d':
        shape = [...from.slice(0, -1).map((length) => Math.floor(length / layer.size)), channels];
        break;
      case 'globalAvgPool':
        shape = [channels];
        break;
      case 'lstm':
      case 'gru': {
        const { kind, units } = layer;
        shape = kind === 'lstm' ? [from[0]!, units] : [units];
        const width = (kind === 'lstm' ? 4 : 3) * units;
        const biases = kind === 'lstm' ? 1 : 2;
        parameters = [
          weight([width, channels], channels),
          weight([width, units], units),
          ...Array.from({ length: biases }, () => vector('bias', width)),
        ];
        break;
      }
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
