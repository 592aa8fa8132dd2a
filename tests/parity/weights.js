/**
 * How PyTorch and TensorFlow.js hold the parameters of each kind of layer, as docs/layers.md says:
 * the one table by which start weights are converted. TensorFlow.js takes a list in its own order;
 * PyTorch a state dict. A parameter that the layer lacks, such as a bias, is left out.
 */

/** Reorders the axes of an array. */
function transpose({ shape, data }, axes) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const sizes = axes.map((axis) => shape[axis]);
  const values = new Float32Array(data.length);
  const index = sizes.map(() => 0);
  for (let i = 0; i < values.length; i++) {
    values[i] = data[index.reduce((sum, at, axis) => sum + at * strides[axes[axis]], 0)];
    for (let axis = sizes.length - 1; axis >= 0 && ++index[axis] === sizes[axis]; axis--)
      index[axis] = 0;
  }
  return { shape: sizes, data: values };
}

/** Reorders the blocks of rows that belong to gates. */
function reorderGates({ shape, data }, order) {
  const size = data.length / order.length;
  const values = new Float32Array(data.length);
  for (const [at, gate] of order.entries())
    values.set(data.subarray(gate * size, (gate + 1) * size), at * size);
  return { shape, data: values };
}

/** Joins arrays along their first axis. */
function stack(arrays) {
  const [, ...rest] = arrays[0].shape;
  const data = arrays.flatMap((array) => [...array.data]);
  const rows = arrays.reduce((sum, { shape }) => sum + shape[0], 0);
  return { shape: [rows, ...rest], data: Float32Array.from(data) };
}

const zerosLike = ({ shape, data }) => ({ shape, data: new Float32Array(data.length) });

/** Takes a parameter as it is, or with its axes reordered. */
const take = (name, axes) => (own) => own[name] && (axes ? transpose(own[name], axes) : own[name]);

/** [rows, columns, channels, multiplier] → [channels·multiplier, 1, rows, columns]. */
const depthwiseOfTorch = (name) => (own) => {
  const { shape, data } = transpose(own[name], [2, 3, 0, 1]);
  return { shape: [shape[0] * shape[1], 1, shape[2], shape[3]], data };
};

const BIAS = take('bias');
const dense = {
  tfjs: [take('weight', [1, 0]), BIAS],
  torch: { weight: take('weight'), bias: BIAS },
};
const norm = { tfjs: [take('gamma'), take('beta')], torch: {} };
Object.assign(norm.torch, { weight: take('gamma'), bias: take('beta') });

/** A recurrent layer with one bias: PyTorch's second is zero, and the suite keeps it so. */
const recurrent = (side = '', suffix = '_l0') => ({
  tfjs: [
    take(`${side}inputWeight`, [1, 0]),
    take(`${side}recurrentWeight`, [1, 0]),
    take(`${side}bias`),
  ],
  torch: {
    [`weight_ih${suffix}`]: take(`${side}inputWeight`),
    [`weight_hh${suffix}`]: take(`${side}recurrentWeight`),
    [`bias_ih${suffix}`]: take(`${side}bias`),
    [`bias_hh${suffix}`]: (own) =>
      own[`${side}recurrentBias`] ?? (own[`${side}bias`] && zerosLike(own[`${side}bias`])),
  },
});

/** Gates r z n of this package are z r h in Keras. */
const KERAS_GRU = [1, 0, 2];
const gatesOfKeras = (name, axes) => (own) => {
  if (!own[name]) return undefined;
  const reordered = reorderGates(own[name], KERAS_GRU);
  return axes ? transpose(reordered, axes) : reordered;
};
const gru = (side = '', suffix = '_l0') => ({
  tfjs: [
    gatesOfKeras(`${side}inputWeight`, [1, 0]),
    gatesOfKeras(`${side}recurrentWeight`, [1, 0]),
    gatesOfKeras(`${side}bias`),
  ],
  torch: recurrent(side, suffix).torch,
});

function bidirectional(layer) {
  const of = layer.layer.kind === 'gru' ? gru : recurrent;
  const [there, back] = [of('forward.'), of('backward.', '_l0_reverse')];
  return { tfjs: [...there.tfjs, ...back.tfjs], torch: { ...there.torch, ...back.torch } };
}

const projections = (suffix) => (own) =>
  own[`query${suffix}`] && stack(['query', 'key', 'value'].map((name) => own[name + suffix]));

/** By kind of layer; a function gets the layer. */
const CONVENTIONS = {
  dense,
  maxout: dense,
  conv2d: {
    tfjs: [take('weight', [1, 2, 3, 0]), BIAS],
    torch: { weight: take('weight', [0, 3, 1, 2]), bias: BIAS },
  },
  conv1d: {
    tfjs: [take('weight', [1, 2, 0]), BIAS],
    torch: { weight: take('weight', [0, 2, 1]), bias: BIAS },
  },
  depthwiseConv2d: {
    tfjs: [take('weight'), BIAS],
    torch: { weight: depthwiseOfTorch('weight'), bias: BIAS },
  },
  separableConv2d: {
    tfjs: [take('depthwiseWeight'), take('pointwiseWeight', [1, 2, 3, 0]), BIAS],
    torch: {
      'depthwise.weight': depthwiseOfTorch('depthwiseWeight'),
      'pointwise.weight': take('pointwiseWeight', [0, 3, 1, 2]),
      'pointwise.bias': BIAS,
    },
  },
  conv2dTranspose: {
    tfjs: [take('weight', [1, 2, 3, 0]), BIAS],
    torch: { weight: take('weight', [0, 3, 1, 2]), bias: BIAS },
  },
  embedding: { tfjs: [take('weight')], torch: { weight: take('weight') } },
  positionEmbedding: { tfjs: [], torch: { weight: take('weight') } },
  batchNorm: {
    tfjs: [...norm.tfjs, take('mean'), take('variance')],
    torch: { ...norm.torch, running_mean: take('mean'), running_var: take('variance') },
  },
  layerNorm: norm,
  simpleRnn: recurrent(),
  lstm: recurrent(),
  gru: gru(),
  bidirectional,
  multiHeadAttention: {
    tfjs: [],
    torch: {
      in_proj_weight: projections('Weight'),
      in_proj_bias: projections('Bias'),
      'out_proj.weight': take('outputWeight'),
      'out_proj.bias': take('outputBias'),
    },
  },
};

const NONE = { tfjs: [], torch: {} };
const conventionOf = (layer) => {
  const convention = CONVENTIONS[layer.kind] ?? NONE;
  return typeof convention === 'function' ? convention(layer) : convention;
};

/**
 * Converts the parameters and statistics of a layer.
 * @param own arrays { shape, data } by the names that they have in the layer
 */
export const toTensorFlow = (layer, own) =>
  conventionOf(layer)
    .tfjs.map((convert) => convert(own))
    .filter(Boolean);

export const toTorch = (layer, own) =>
  Object.fromEntries(
    Object.entries(conventionOf(layer).torch)
      .map(([name, convert]) => [name, convert(own)])
      .filter(([, array]) => array),
  );
