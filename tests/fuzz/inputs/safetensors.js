/**
 * Mutated safetensors files. They are made without the library's writer, which the caller passes
 * in.
 */

/**
 * @param {string | Uint8Array} header @param {Uint8Array | number} data bytes after it, or how many
 * zeros
 */
function assemble(header, data = 0) {
  const text = Buffer.from(header);
  const rest = typeof data === 'number' ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + text.length + rest.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(rest, 8 + text.length);
  return bytes;
}

/**
 * @param encodeSafetensors writes the files that are mutated
 * @returns {(random: { below(limit: number): number; pick<T>(items: readonly T[]): T }) =>
 * Uint8Array}
 */
export function createMutator(encodeSafetensors) {
  const seeds = seedFiles(encodeSafetensors);
  return (random) => random.pick(MUTATIONS)(random.pick(seeds), random);
}

function seedFiles(encodeSafetensors) {
  const many = encodeSafetensors(
    {
      w: { shape: [2, 3], data: Float32Array.of(1, -0, 3, Number.NaN, 5, 6) },
      'w.exp_avg': { dtype: 'BF16', shape: [3], data: Uint16Array.of(1, 2, 3) },
      half: { dtype: 'F16', shape: [1, 2], data: Uint16Array.of(4, 5) },
      steps: { shape: [], data: BigInt64Array.of(-8n) },
      codes: { shape: [5], data: Uint8Array.of(1, 2, 3, 4, 5) },
      none: { shape: [4, 0], data: new Float64Array(0) },
      big: { shape: [2], data: Float64Array.of(0.1, 2) },
    },
    { format: 'pt', note: 'é\n"' },
  );
  const one = encodeSafetensors({ __proto__x: { shape: [2], data: Float32Array.of(1, 2) } });
  const misaligned = assemble(
    '{"c":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"w":{"dtype":"F64","shape":[1],' +
      '"data_offsets":[3,11]}}',
    11,
  );
  return [many, one, misaligned, encodeSafetensors([]), encodeSafetensors([], { a: '' })];
}

const JSON_BYTES = Buffer.from('{}[]",:0123456789\\-.eE \ttrufalsnFU\x00\x80\xff').toJSON().data;
const VALUES = '0 1 2 3 4 8 12 16 24 99 -1 0.5 1e300 2147483648 4294967296 9007199254740991 '
  .concat('9007199254740992 null true "" "8" [] {} [0]')
  .split(' ');
const DTYPES = [
  'F64',
  'I64',
  'F32',
  'BF16',
  'F16',
  'U8',
  'f32',
  'BOOL',
  '',
  'F8_E4M3',
  'constructor',
];
const NAMES = [
  '__metadata__',
  '__proto__',
  'constructor',
  'w',
  'codes',
  '',
  '10',
  '\ud800',
  'a'.repeat(100),
];
const LENGTHS = [
  0n,
  1n,
  2n,
  7n,
  8n,
  100_000_000n,
  100_000_001n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const SNIPPETS = [
  '1e2',
  '1.0',
  '-0',
  '01',
  '+1',
  'NaN',
  'nul',
  '""',
  '{}',
  '[',
  '['.repeat(200),
  '"\\u0061"',
  '"\\ud800"',
  '"\\x"',
  '\u0001',
  '\ufeff',
  '9'.repeat(400),
];

const anyValue = (random) => JSON.parse(random.pick(VALUES));

function headerOf(bytes) {
  const end = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return { text: Buffer.from(bytes.subarray(8, end)).toString(), data: bytes.subarray(end) };
}

const flipBytes = (bytes, random) => {
  const out = bytes.slice();
  const { length } = headerOf(bytes).text;
  for (let n = 1 + random.below(3); n > 0; n--) {
    const at = random.below(4) === 0 ? random.below(out.length) : 8 + random.below(length);
    if (at < out.length)
      out[at] = random.below(2) === 0 ? random.pick(JSON_BYTES) : out[at] ^ (1 << random.below(8));
  }
  return out;
};

const truncate = (bytes, random) => bytes.slice(0, random.below(bytes.length));

const insert = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  const from = random.below(bytes.length);
  const added =
    random.below(2) === 0
      ? bytes.subarray(from, from + random.below(40))
      : Uint8Array.from(JSON_BYTES.slice(random.below(20), 24));
  return Uint8Array.from(Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]));
};

const lengthField = (bytes, random) => {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const near = view.getBigUint64(0, true) + BigInt(random.below(9) - 4);
  view.setBigUint64(
    0,
    BigInt.asUintN(64, random.below(2) === 0 ? near : random.pick(LENGTHS)),
    true,
  );
  return out;
};

/** Text put into, taken from or repeated in the header, whose length is told rightly. */
const headerText = (bytes, random) => {
  const { text, data } = headerOf(bytes);
  const from = random.below(text.length);
  const to = from + random.below(3) * random.below(20);
  const added = random.pick([random.pick(SNIPPETS), '', text.slice(from, to + 10)]);
  return assemble(text.slice(0, from) + added + text.slice(random.pick([from, to])), data);
};

function editNumbers(entry, field, random) {
  const value = entry[field];
  const numbers = Array.isArray(value) ? [...value] : [];
  const at = random.below(numbers.length + 1);
  const old = numbers[at];
  const near = typeof old === 'number' ? old + random.below(9) - 4 : 1;
  numbers.splice(
    at,
    random.below(2),
    ...(random.below(4) === 0 ? [] : [random.pick([near, anyValue(random)])]),
  );
  entry[field] = random.below(20) === 0 ? anyValue(random) : numbers;
}

const EDITS = [
  (entry, random) => (entry.dtype = random.pick(DTYPES)),
  (entry, random) => editNumbers(entry, 'shape', random),
  (entry, random) => editNumbers(entry, 'data_offsets', random),
  (entry, random) => Array.isArray(entry.shape) && entry.shape.splice(random.below(3), 0, 1),
  (entry) => Array.isArray(entry.data_offsets) && entry.data_offsets.reverse(),
  (entry, random) => delete entry[random.pick(['dtype', 'shape', 'data_offsets'])],
  (entry, random) => (entry[random.pick(['extra', 'strides', '0', 'a b'])] = anyValue(random)),
  (_, random, header) => (header[random.pick(NAMES)] = anyValue(random)),
  (entry, random, header) => (header[random.pick(NAMES)] = entry),
  (_, random, header) => (header.__metadata__ = { [random.pick(NAMES)]: anyValue(random) }),
  (_, random, header) => delete header[random.pick(Object.keys(header))],
  (entry, random, header) => {
    // The same bytes under another type, so that many inputs are accepted.
    const offsets = entry.data_offsets;
    if (!Array.isArray(offsets)) return;
    Object.assign(entry, { dtype: 'U8', shape: [offsets[1] - offsets[0]] });
    header[`renamed${random.below(3)}`] = { ...entry };
    for (const name of Object.keys(header)) if (header[name] === entry) delete header[name];
  },
];

/** One to three edits of the header's values, in a header that is JSON and of the right length. */
const headerValues = (bytes, random) => {
  const { text, data } = headerOf(bytes);
  const header = JSON.parse(text);
  for (let n = 1 + random.below(3); n > 0; n--) {
    const entries = Object.values(header).filter(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    );
    if (entries.length > 0) random.pick(EDITS)(random.pick(entries), random, header);
  }
  const room = random.below(8) === 0 ? random.below(data.length + 9) : data.length;
  return assemble(JSON.stringify(header), room <= data.length ? data.subarray(0, room) : room);
};

const MUTATIONS = [
  flipBytes,
  flipBytes,
  truncate,
  insert,
  lengthField,
  headerText,
  headerText,
  headerValues,
  headerValues,
  headerValues,
];
