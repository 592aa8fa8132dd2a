/** The JSON of a model, as `adal train --model <file>.json` reads it. */
import { parseDefinition } from '../../../dist/internals/model-file.js';

export const runs = 200_000;

const CONVOLUTION = { kernelSize: 'pair', stride: 'pair', padding: 'padding', dilation: 'pair' };
/** Layers with the sort of each of their fields. */
const LAYERS = [
  ['dense', { units: 'size' }],
  ['conv2d', { filters: 'size', ...CONVOLUTION }],
  ['conv1d', { filters: 'size', ...CONVOLUTION }],
  ['conv2dTranspose', { filters: 'size', ...CONVOLUTION, outputPadding: 'pair' }],
  ['depthwiseConv2d', { ...CONVOLUTION, depthMultiplier: 'size' }],
  ['separableConv2d', { filters: 'size', ...CONVOLUTION, depthMultiplier: 'size' }],
  ['maxPool2d', { size: 'pair', stride: 'pair', padding: 'padding' }],
  ['avgPool2d', { size: 'pair', stride: 'pair', padding: 'padding' }],
  ['maxPool1d', { size: 'size', stride: 'size', padding: 'padding' }],
  ['avgPool1d', { size: 'size', stride: 'size', padding: 'padding' }],
  ['globalAvgPool', {}],
  ['globalMaxPool', {}],
  ['upSampling2d', { size: 'pair' }],
  ['upSampling1d', { size: 'size' }],
  ['flatten', {}],
  ['embedding', { rows: 'size', dim: 'size' }],
  ['batchNorm', { momentum: 'rate', eps: 'rate' }],
  ['layerNorm', { eps: 'rate' }],
  ['dropout', { rate: 'rate' }],
  ['relu', {}],
  ['leakyRelu', { slope: 'rate' }],
  ['elu', { alpha: 'rate' }],
  ['gelu', {}],
  ['relu6', {}],
  ['softmax', {}],
  ['maxout', { units: 'size', pieces: 'size' }],
  ['repeatVector', { times: 'size' }],
  ['sigmoid', {}],
  ['silu', {}],
  ['tanh', {}],
];
const ODD_KINDS = ['lstm', '__proto__', 'constructor', 'toString', ''];
const FIELDS = [
  'units',
  'filters',
  'kernelSize',
  'stride',
  'padding',
  'size',
  'rate',
  'rows',
  'dim',
  'eps',
  'kind',
  'x',
];
const LOSSES = ['crossEntropy', 'binaryCrossEntropy', 'meanSquaredError', 'huber'];
const SCALARS = [
  '0',
  '-0',
  '1',
  '2',
  '3',
  '8',
  '-1',
  '0.5',
  '1e999',
  '-1e999',
  '1e-400',
  '16777216',
  '16777217',
  '4294967296',
  '9007199254740993',
  'null',
  'true',
  'false',
  '"same"',
  '"valid"',
  '""',
  '"\\u0000\\ud800\\u202e"',
  '[]',
  '{}',
  '[3,3]',
  '[3,[3]]',
  '{"length":3}',
  '{"__proto__":null}',
];
/** What is put into, or takes the place of, a piece of a text. */
const FRAGMENTS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\"',
  '/',
  '-',
  'e',
  ' ',
  '\u0000',
  '\ud800',
  'NaN',
  '"__proto__":',
];

/**
 * Returns a model's JSON, sound or broken: built from random parts, sometimes damaged as a text.
 */
export function create(prng) {
  const text = randomModel(prng);
  const damages = prng() % 3 === 0 ? 1 + (prng() % 4) : 0;
  return Array.from({ length: damages }).reduce((damaged) => damage(damaged, prng), text);
}

/** Reads it: returns, or throws an error of the library. */
export function attempt(input) {
  parseDefinition(input, 'model.json');
}

/** Inputs of about `size` bytes that should take linear time and memory. */
export function large(size) {
  const layer = '{"kind":"relu"}';
  const repeat = (piece) => piece.repeat(Math.ceil(size / piece.length));
  return [
    ['many layers', `{"inputShape":[4],"layers":[${repeat(`${layer},`)}${layer}]}`],
    [
      'many dense layers',
      `{"inputShape":[4],"layers":[${repeat('{"kind":"dense","units":4},')}${layer}]}`,
    ],
    ['many dimensions', `{"inputShape":[${repeat('1,')}1],"layers":[${layer}]}`],
    ['a long kind', `{"inputShape":[4],"layers":[{"kind":"${repeat('x')}"}]}`],
    ['many fields', `{"inputShape":[4],"layers":[{${repeat('"units":1,')}"kind":"dense"}]}`],
    ['nesting', `{"inputShape":${repeat('[')}`],
    ['nested objects', `{"layers":${repeat('{"a":')}`],
    ['quotes', repeat('"\\"')],
    ['backslashes', `"${repeat('\\')}`],
    ['spaces', `{${repeat(' ')}`],
    ['digits', `{"inputShape":[${repeat('9')}]}`],
    ['nulls', `[${repeat('null,')}0]`],
  ];
}

function pick(prng, choices) {
  return choices[Math.floor((prng() / 2 ** 32) * choices.length)];
}

/** Whether something rare happens: once in `often` times. */
function rarely(prng, often) {
  return pick(prng, [...Array(often).keys()]) === 0;
}

function randomModel(prng) {
  const shape = pick(prng, ['[4]', '[64]', '[6,5]', '[8,8,1]', '[12,10,3]']);
  const layers = Array.from({ length: 1 + (prng() % 5) }, () => randomLayer(prng));
  const parts = [
    `"inputShape":${rarely(prng, 12) ? pick(prng, SCALARS) : shape}`,
    `"layers":${rarely(prng, 32) ? pick(prng, SCALARS) : `[${layers.join()}]`}`,
    rarely(prng, 2) ? '' : `"loss":${randomLoss(prng)}`,
    rarely(prng, 32) ? `"${pick(prng, FIELDS)}":${pick(prng, SCALARS)}` : '',
  ];
  return `{${parts.filter((part) => part !== '').join()}}`;
}

function randomLayer(prng) {
  if (rarely(prng, 48)) return pick(prng, SCALARS);
  const [kind, sorts] = pick(prng, LAYERS);
  const fields = Object.entries(sorts)
    .filter(() => !rarely(prng, 6))
    .map(
      ([field, sort]) =>
        `"${field}":${rarely(prng, 12) ? pick(prng, SCALARS) : randomField(prng, sort)}`,
    );
  if (rarely(prng, 48)) fields.push(`"${pick(prng, FIELDS)}":${pick(prng, SCALARS)}`);
  return `{${[`"kind":"${rarely(prng, 48) ? pick(prng, ODD_KINDS) : kind}"`, ...fields].join()}}`;
}

function randomField(prng, sort) {
  if (sort === 'rate') return String((prng() % 1024) / 1024);
  if (sort === 'padding') return pick(prng, ['"same"', '0', '1', '[1,0]']);
  const size = 1 + (prng() % 4);
  return sort === 'pair' && rarely(prng, 3) ? `[${size},${1 + (prng() % 4)}]` : String(size);
}

function randomLoss(prng) {
  if (rarely(prng, 12)) return pick(prng, SCALARS);
  const extra = rarely(prng, 6)
    ? `,"${pick(prng, ['delta', 'classWeights', 'labelSmoothing'])}":${pick(prng, SCALARS)}`
    : '';
  return `{"kind":"${rarely(prng, 24) ? pick(prng, ODD_KINDS) : pick(prng, LOSSES)}"${extra}}`;
}

/** Cuts, inserts, repeats or replaces a piece of the text. */
function damage(text, prng) {
  const at = prng() % (text.length + 1);
  const length = prng() % 8;
  const [before, piece, after] = [
    text.slice(0, at),
    text.slice(at, at + length),
    text.slice(at + length),
  ];
  switch (prng() % 5) {
    case 0:
      return before + after;
    case 1:
      return before + pick(prng, FRAGMENTS) + piece + after;
    case 2:
      return before + piece + piece + after;
    case 3:
      return before + pick(prng, FRAGMENTS).repeat(1 + (prng() % 300)) + after;
    default:
      return before;
  }
}
