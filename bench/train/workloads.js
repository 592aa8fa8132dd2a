/**
 * What is trained, for every engine alike: models, first weights and data, all from closed
 * formulas, so that engines in other languages (engines/pytorch.py) make the same numbers by
 * themselves.
 *
 * Layouts are those of adal-wasm: dense weights [units][inputs], convolutions
 * [filters][rows][columns][channels], images height × width × channels. Engines that differ
 * rearrange what they get.
 */

const MLP = [
  { kind: 'dense', units: 256 },
  { kind: 'relu' },
  { kind: 'dense', units: 128 },
  { kind: 'relu' },
];
const CNN = [16, 32].flatMap((filters) => [
  { kind: 'conv', filters, size: 3 },
  { kind: 'relu' },
  { kind: 'maxPool', size: 2 },
]);
const ADAM = { kind: 'adam', lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8 };
const SGD = { kind: 'sgd', lr: 0.1 };

function classifier(name, input, layers, classes, batch, rest = {}) {
  const all = [...layers, { kind: 'dense', units: classes }];
  return {
    name,
    kind: 'step',
    input,
    layers: all,
    classes,
    batch,
    samples: 4 * batch,
    optimizer: ADAM,
    ...rest,
  };
}

function mlp(batch) {
  return classifier(`mlp-${batch}`, [784], MLP, 10, batch, {
    title: `MLP 784-256-128-10, batch ${batch}, Adam`,
  });
}

function cnn(batch) {
  const title = `CNN (conv 16, pool, conv 32, pool, dense 10), batch ${batch}, Adam`;
  return classifier(`cnn-${batch}`, [28, 28, 1], [...CNN, { kind: 'flatten' }], 10, batch, {
    title,
  });
}

const CHARACTERS = [
  { kind: 'embedding', rows: 64, dim: 16 },
  { kind: 'flatten' },
  { kind: 'dense', units: 128 },
  { kind: 'tanh' },
];

function gemm(m, n, k) {
  return { name: `gemm-${m}x${n}x${k}`, kind: 'gemm', title: `${m}×${n}×${k}`, m, n, k };
}

/** Whole fits: from arrays to weights, creation of the model included. */
const CLASSROOM = classifier(
  'e1',
  [24],
  [{ kind: 'batchNorm' }, { kind: 'dense', units: 16 }, { kind: 'relu' }],
  4,
  16,
  {
    kind: 'fit',
    title: 'E1: 24 features, batch norm, dense 16, softmax 4; SGD, 160 epochs of 60',
    samples: 60,
    epochs: 160,
    optimizer: SGD,
  },
);
const TRANSFER = classifier(
  'e2',
  [1280],
  [{ kind: 'dense', units: 100 }, { kind: 'relu' }],
  3,
  16,
  {
    kind: 'fit',
    title: 'E2: 1280 → 100 → 3; Adam, 50 epochs of 150',
    samples: 150,
    epochs: 50,
  },
);

export const WORKLOADS = [
  mlp(32),
  mlp(128),
  cnn(32),
  cnn(128),
  classifier('charlm-64', [8], CHARACTERS, 64, 64, {
    title: 'W7: 8 characters, embedding 16, dense 128, 64 classes; batch 64, Adam',
  }),
  ...[
    [64, 128, 784],
    [64, 256, 784],
    [256, 256, 256],
    [512, 512, 512],
    [1, 512, 512],
    [128, 10, 128],
  ].map((s) => gemm(...s)),
  CLASSROOM,
  TRANSFER,
];

/**
 * A number in [0, 1) that `index` and `stream` determine: 24 bits of a hash (the finalizer of
 * MurmurHash3).
 */
export function uniform(index, stream) {
  let h = (index + Math.imul(stream, 0x9e3779b9)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 8) / 2 ** 24;
}

const DATA_STREAM = 1;
const LABEL_STREAM = 2;
/** Of the first parameter array; the next ones follow. */
const WEIGHT_STREAM = 16;

/** Features as f32, classes as i32. Features of embeddings are indices. */
export function dataOf({ input, layers, samples, classes }) {
  const size = input.reduce((product, length) => product * length, 1);
  const rows = layers[0].kind === 'embedding' ? layers[0].rows : 0;
  const features = Float32Array.from({ length: samples * size }, (_, i) => {
    const u = uniform(i, DATA_STREAM);
    return rows ? Math.floor(rows * u) : u;
  });
  const labels = Int32Array.from({ length: samples }, (_, i) =>
    Math.floor(classes * uniform(i, LABEL_STREAM)),
  );
  return { features, labels };
}

/**
 * Every layer with its input and output shapes, and its parameters as [name, shape, first values].
 */
export function planOf({ input, layers }) {
  let shape = input;
  let stream = WEIGHT_STREAM;
  const drawn = (dims, fanIn) => {
    const limit = Math.sqrt(6 / fanIn);
    const length = dims.reduce((product, size) => product * size, 1);
    const from = stream++;
    return Float32Array.from({ length }, (_, i) => limit * (2 * uniform(i, from) - 1));
  };
  return layers.map((layer) => {
    const from = shape;
    const channels = from[from.length - 1];
    let parameters = [];
    const weight = (dims, fanIn) => ['weight', dims, drawn(dims, fanIn)];
    const bias = (length) => ['bias', [length], new Float32Array(length)];
    if (layer.kind === 'dense') {
      shape = [layer.units];
      parameters = [weight([layer.units, channels], channels), bias(layer.units)];
    } else if (layer.kind === 'conv') {
      const { filters, size } = layer;
      shape = [from[0], from[1], filters];
      parameters = [weight([filters, size, size, channels], size * size * channels), bias(filters)];
    } else if (layer.kind === 'maxPool') {
      shape = [Math.floor(from[0] / layer.size), Math.floor(from[1] / layer.size), channels];
    } else if (layer.kind === 'embedding') {
      shape = [from[0], layer.dim];
      parameters = [weight([layer.rows, layer.dim], layer.dim)];
    } else if (layer.kind === 'flatten') {
      shape = [from.reduce((product, size) => product * size, 1)];
    } else if (layer.kind === 'batchNorm') {
      parameters = [
        ['gamma', [channels], new Float32Array(channels).fill(1)],
        ['beta', [channels], new Float32Array(channels)],
      ];
    }
    return { ...layer, from, to: shape, parameters };
  });
}

/** Operands of a product. */
export function matricesOf({ m, n, k }) {
  const random = (length, stream) =>
    Float32Array.from({ length }, (_, i) => uniform(i, stream) - 0.5);
  return { a: random(m * k, DATA_STREAM), b: random(k * n, LABEL_STREAM) };
}
