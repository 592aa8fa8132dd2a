/** Safetensors files and checkpoints: mutated ones, and large hostile headers. */
import {
  decodeCheckpoint,
  decodeSafetensors,
  decodeSafetensorsHeader,
  encodeCheckpoint,
  encodeSafetensors,
} from '../../../dist/node/checkpoint.js';
import { createMutator } from '../inputs/safetensors.js';
import { Random } from '../prng.js';

/** A checkpoint's JSON up to its extras. */
const HEAD = '{"version":1,"stateDict":{"algorithm":"adam","groups":[]},"state":{},"extras":';

export const runs = 1_000_000;

const mutate = createMutator(encodeSafetensors);
const floats = (length) => new Float32Array(length).fill(0.5);
const checkpoint = encodeCheckpoint(
  {
    version: 1,
    algorithm: 'adal',
    options: {},
    step: 3,
    groups: [{ params: ['w'], frozen: false, lr: 0.1, schedule: null }],
    params: { w: { shape: [2, 3], data: floats(6) } },
    state: {
      w: {
        step: 3,
        exponent: -2,
        V: 0.1,
        beta1Power: 0.7,
        beta2Power: 0.9,
        normMean: 0,
        arrays: { m: floats(6), v: floats(6) },
      },
    },
  },
  { epoch: 3, average: { w: floats(6) }, note: 'é' },
);

export function create(prng) {
  const random = new Random(prng);
  if (random.below(4) > 0) return mutate(random);
  // A checkpoint whose header, whose data or whose end is damaged.
  const bytes = checkpoint.slice(
    0,
    random.below(4) === 0 ? random.below(checkpoint.length) : checkpoint.length,
  );
  for (let n = 1 + random.below(3); n > 0 && bytes.length > 0; n--)
    bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

export function attempt(input) {
  let error = null;
  // What is no checkpoint may be a file; what is no file of ours may have a header of others'
  // types.
  for (const decode of [decodeCheckpoint, decodeSafetensors, decodeSafetensorsHeader]) {
    try {
      decode(input);
      return;
    } catch (thrown) {
      error ??= thrown.reason === 'not-a-checkpoint' ? null : thrown;
      if (thrown.reason === undefined) throw thrown;
    }
  }
  throw error;
}

function file(header, data = 0) {
  const text = Buffer.from(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const TENSOR = '"dtype":"U8","shape":[0],"data_offsets":[0,0]';
const repeat = (text, size) => text.repeat(Math.ceil(size / text.length));
const list = (size, item) => {
  const items = [];
  for (let length = 0, i = 0; length < size; i++) {
    const text = item(i);
    items.push(text);
    length += text.length + 1;
  }
  return items.join(',');
};

export function large(size) {
  const unknown = (value) => file(`{"a":{${TENSOR},"x":${value}}}`);
  const metadata = (fields) => file(`{"__metadata__":{${fields}},"a":{${TENSOR}}}`);
  const document = (text) => encodeSafetensors({}, { adal_checkpoint: text }, { checksum: true });
  return [
    ['unknown fields of objects', unknown(`[${repeat('{},', size)}0]`)],
    ['unknown fields of arrays', unknown(`[${repeat('[],', size)}0]`)],
    ['unknown fields of texts', unknown(`[${repeat('"",', size)}0]`)],
    ['unknown fields of numbers', unknown(`[${repeat('0,', size)}0]`)],
    ['unknown keys', file(`{"a":{${TENSOR},${list(size, (i) => `"${i}":0`)}}}`)],
    ['a long unknown text', unknown(`"${'x'.repeat(size)}"`)],
    ['a text of escapes', unknown(`"${repeat('\\"', size)}"`)],
    ['a text that does not end', file(`{"a":"${repeat('\\\\', size)}`)],
    ['a long number', unknown('9'.repeat(size))],
    ['many empty tensors', file(`{${list(size, (i) => `"${i}":{${TENSOR}}`)}}`)],
    [
      'many small tensors',
      file(
        `{${list(size, (i) => `"${i}":{"dtype":"U8","shape":[],"data_offsets":[${i},${i + 1}]}`)}}`,
        list(size, (i) => `"${i}":{"dtype":"U8","shape":[],"data_offsets":[${i},${i + 1}]}`).split(
          '},',
        ).length,
      ),
    ],
    [
      'a tensor of many dimensions',
      file(`{"a":{"dtype":"U8","shape":[${repeat('1,', size)}1],"data_offsets":[0,1]}}`, 1),
    ],
    [
      'many offsets',
      file(`{"a":{"dtype":"U8","shape":[],"data_offsets":[${repeat('1,', size)}1]}}`, 1),
    ],
    ['many keys of metadata', metadata(list(size, (i) => `"${i}":""`))],
    ['a long text of metadata', metadata(`"a":"${'é'.repeat(size / 2)}"`)],
    ['a text of metadata with escapes', metadata(`"a":"${repeat('\\u00e9', size)}"`)],
    ['space', file(`{${' '.repeat(size)}}`)],
    ['nesting', unknown('['.repeat(size))],
    ['one key again and again', file(`{"a":{${TENSOR},${list(size, () => '"dtype":"U8"')}}}`)],
    ['a checkpoint of objects', document(`[${repeat('{},', size)}0]`)],
    ['a checkpoint of numbers', document(`[${repeat('0,', size)}0]`)],
    ['a checkpoint of texts', document(`[${repeat('"",', size)}0]`)],
    ['a checkpoint nested deeply', document('['.repeat(size))],
    ['extras of objects', document(`${HEAD}{"a":[${repeat('{},', size)}0]}}`)],
    ['extras of fields', document(`${HEAD}{${list(size, (i) => `"${i}x":0`)}}}`)],
  ];
}
