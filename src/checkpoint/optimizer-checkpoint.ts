/**
 * Checkpoints of optimizers: a state dict as one safetensors file, which other tools can read as
 * well.
 *
 *     w                          a parameter
 *     w.exp_avg, w.exp_avg_sq …  the arrays of its state (state-tensors.ts)
 *     extras.…                   typed arrays among the caller's own data (plain-data.ts)
 *     __metadata__.adal_checkpoint, JSON:
 *       { version,
 *         stateDict: { version, algorithm, options, step, groups },     the state dict without its arrays
 *         state: { w: { step, exponent, V, …, arrays: { exp_avg: [shape] } } },
 *         extras }
 *
 * The file carries the checksum of all of that (content-checksum.ts).
 *
 * Invariant: decoding gives what was encoded, bit for bit, or throws; every tensor of a file
 * belongs to something, and a file that is damaged anywhere is refused.
 */
import { ArgumentError, CheckpointError } from '../errors';
import { elementCount } from '../math/shape';
import { checkAnyStateArray, type StateArray } from '../optimizers/state-array';
import type { StateDict, StateDictState } from '../optimizers/state-dict';
import { describe, fail, isFloat32Array } from '../validate';
import { CHECKSUM } from './content-checksum';
import { fromJson, type PlainData, toJson } from './plain-data';
import { encodeSafetensors } from './safetensors';
import { readSafetensors } from './safetensors-reader';
import { fromStored, lengthOf, storedNames, takeArray, tensorsOf, toStored } from './state-tensors';
import { findWrongCounter, findWrongValue } from './state-values';
import { quote, refuse, TensorCollector, TensorSupply } from './tensor-names';

/** A program's own data in a checkpoint. */
export type CheckpointExtras = Readonly<Record<string, PlainData>>;

/** What a checkpoint holds. */
export interface Checkpoint {
  /** For `loadStateDict`; some of its arrays are views of the file. */
  stateDict: StateDict;
  /** As they were given; empty if none were. */
  extras: Record<string, PlainData>;
}

/** The key of the metadata. */
const KEY = 'adal_checkpoint';
/** Of the layout above. */
const VERSION = 1;
/**
 * The most objects, arrays and fields in the JSON of a checkpoint: so many, and one more for as
 * many bytes as the whole file has. More would take a large multiple of the file's size in memory,
 * some 260 bytes each. A parameter has 20, and more than 600 bytes.
 */
const BASE_PARTS = 250_000;
const BYTES_PER_PART = 32;

type Json = Record<string, unknown>;

/**
 * Encodes what `optimizer.stateDict()` returned, and data of your own, as one safetensors file.
 *
 * Parameters are stored under their names, state arrays as `<parameter>.<array>`: Adam's are
 * `w.exp_avg` and `w.exp_avg_sq`. AdaL's moments are stored likewise in true scale, m'·2^e and
 * v'·2^(2e), if all that are not 0 are normal float32 numbers there; otherwise, and for compact
 * state, as `w.adal_m` and `w.adal_v`, the scaled m' and v'. All other numbers are in one JSON
 * text.
 *
 * @param extras JSON values and typed arrays by name, nested as you like: `{ epoch: 3, average:
 * average.stateDict() }`
 * @default extras {}
 * @throws ArgumentError naming the key: for what is no state dict or no plain data, for numbers
 * that no
 *   optimizer could load (not finite, second moments below 0), and for names that collide in the file
 *   (`__metadata__`; `w.exp_avg` beside `w`)
 * @example
 * const bytes = encodeCheckpoint(optimizer.stateDict(), { epoch: 3 });
 * await fileStore('checkpoint.safetensors').save(bytes);
 */
export function encodeCheckpoint(
  stateDict: StateDict,
  extras: CheckpointExtras = {},
): Uint8Array<ArrayBuffer> {
  if (typeof stateDict !== 'object' || stateDict === null)
    fail('stateDict', 'an object', stateDict);
  if (typeof extras !== 'object' || extras === null || Array.isArray(extras))
    fail('extras', 'an object', extras);
  const { params, state, ...head } = stateDict;
  const collector = new TensorCollector();
  addParameters(params, collector);
  const stateJson = addStates(stateDict, collector);
  const document = {
    version: VERSION,
    stateDict: toJson('stateDict', head, null),
    state: stateJson,
    extras: toJson('extras', extras, collector),
  };
  const text = JSON.stringify(document);
  const bytes = encodeSafetensors(collector.entries, { [KEY]: text }, { checksum: true });
  const most = partsIn(bytes.length);
  if (countParts(text) > most)
    fail('extras', `at most ${most} objects, arrays and fields, typed arrays apart`, extras);
  return bytes;
}

/**
 * Decodes a checkpoint. Its checksum is verified, and its numbers are checked for what every rule
 * needs; whether they fit an optimizer `loadStateDict` checks.
 *
 * @param bytes the whole file
 * @throws CheckpointError whose `reason` tells what is wrong: `'not-a-checkpoint'` (a safetensors
 * file without our metadata), `'json'`,
 *   `'version'` (of a schema that is not known here), `'schema'` (a key that is not as it should be), `'missing'` or `'unexpected'`
 *   (a tensor), `'dtype'`, `'shape'`, `'state'` (half of AdaL's state, both its forms, numbers that
 *   are not finite, second moments below 0), `'corrupt'` (the checksum is not the content's, or is
 *   missing), and what `decodeSafetensors` throws
 * @throws ArgumentError when `bytes` is no Uint8Array
 * @example
 * const { stateDict, extras } = decodeCheckpoint(bytes);
 * optimizer.loadStateDict(stateDict);
 * console.log(extras.epoch);
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata, verified } = readSafetensors(bytes);
  const document = parseDocument(metadata[KEY], verified, partsIn(bytes.length));
  const head = objectAt('stateDict', document.stateDict);
  if (typeof head.algorithm !== 'string')
    refuse('schema', 'stateDict.algorithm', 'a string', describe(head.algorithm));
  if (!Array.isArray(head.groups))
    refuse('schema', 'stateDict.groups', 'an array', describe(head.groups));
  for (const [index, group] of head.groups.entries()) objectAt(`stateDict.groups[${index}]`, group);
  const supply = new TensorSupply(tensors);
  const params: StateDict['params'] = Object.create(null);
  const state: StateDict['state'] = Object.create(null);
  for (const [name, value] of Object.entries(objectAt('state', document.state))) {
    const { shape, data } = supply.takeF32(name);
    checkRead(name, '', data);
    params[name] = { shape, data };
    state[name] = takeState(name, head.algorithm, objectAt(`state.${name}`, value), supply);
  }
  const extras = fromJson(
    'extras',
    objectAt('extras', document.extras),
    supply,
  ) as Checkpoint['extras'];
  supply.end();
  const rest = fromJson('stateDict', head, supply) as unknown as Omit<
    StateDict,
    'params' | 'state'
  >;
  return { stateDict: { ...rest, params, state }, extras };
}

function addParameters(params: StateDict['params'], collector: TensorCollector): void {
  if (typeof params !== 'object' || params === null)
    fail('stateDict.params', 'an object by parameter name', params);
  for (const [name, parameter] of Object.entries(params)) {
    const path = `stateDict.params.${name}`;
    const { shape, data } = parameter ?? {};
    if (!Array.isArray(shape)) fail(`${path}.shape`, 'an array of sizes', shape);
    if (!isFloat32Array(data) || data.length !== elementCount(shape)) {
      fail(`${path}.data`, `a Float32Array of ${elementCount(shape)} elements`, data);
    }
    checkGiven(`${path}.data`, '', data);
    collector.add(name, path, { shape, data });
  }
}

/** Adds the arrays of all states; returns the rest of them. */
function addStates({ algorithm, params, state }: StateDict, collector: TensorCollector): Json {
  if (typeof state !== 'object' || state === null)
    fail('stateDict.state', 'an object by parameter name', state);
  const unknown = Object.keys(state).find((name) => !Object.hasOwn(params, name));
  if (unknown !== undefined)
    throw new ArgumentError(`stateDict.params.${unknown}`, 'an entry beside its state', 'nothing');
  const json: Json = Object.create(null);
  for (const [name, { shape, data }] of Object.entries(params)) {
    const path = `stateDict.state.${name}`;
    const entry = Object.hasOwn(state, name) ? state[name] : undefined;
    const { arrays, ...counters } = entry ?? fail(path, 'an entry for every parameter', entry);
    if (typeof arrays !== 'object' || arrays === null)
      fail(`${path}.arrays`, 'an object of arrays by name', arrays);
    for (const [key, array] of Object.entries(arrays)) {
      checkAnyStateArray(`${path}.arrays.${key}`, array);
      checkGiven(`${path}.arrays.${key}`, key, array);
    }
    const wrong = findWrongCounter(counters);
    if (wrong) fail(`${path}.${wrong.key}`, wrong.expected, wrong.value);
    const shapes: Json = Object.create(null);
    for (const [key, array] of toStored(
      algorithm,
      arrays,
      counters.exponent as number,
      `${path}.arrays`,
    )) {
      const length = lengthOf(array);
      shapes[key] = length === data.length ? shape : [length];
      for (const [suffix, tensor] of tensorsOf(array, shapes[key] as readonly number[])) {
        collector.add(`${name}.${key}${suffix}`, `${path}.arrays.${key}`, tensor);
      }
    }
    for (const key of storedNames(algorithm, arrays)) {
      if (!Object.hasOwn(shapes, key)) collector.reserve(`${name}.${key}`, `${path}.arrays.${key}`);
    }
    json[name] = { ...(toJson(path, counters, null) as Json), arrays: shapes };
  }
  return json;
}

/** What could not be read again is not written: it would replace what can. */
function checkGiven(path: string, key: string, array: StateArray): void {
  const wrong = findWrongValue(key, array);
  if (wrong)
    throw new ArgumentError(`${path}${wrong.part}[${wrong.index}]`, wrong.expected, wrong.got);
}

function checkRead(tensor: string, key: string, array: StateArray): void {
  const wrong = findWrongValue(key, array);
  if (wrong) {
    const name = wrong.part === '.scales' ? `${tensor}.scales` : tensor;
    refuse('state', `tensor ${quote(name)}`, wrong.expected, `${wrong.got} at ${wrong.index}`);
  }
}

function takeState(
  name: string,
  algorithm: string,
  json: Json,
  supply: TensorSupply,
): StateDictState {
  const path = `state.${name}`;
  const { arrays, ...counters } = json;
  for (const [key, value] of Object.entries(counters)) {
    if (typeof value !== 'number' || !Number.isFinite(value))
      refuse('schema', `${path}.${key}`, 'a finite number', describe(value));
  }
  const wrong = findWrongCounter(counters);
  if (wrong) refuse('schema', `${path}.${wrong.key}`, wrong.expected, describe(wrong.value));
  const { exponent } = counters as { exponent?: number };
  const stored: StateDictState['arrays'] = Object.create(null);
  for (const [key, shape] of Object.entries(objectAt(`${path}.arrays`, arrays))) {
    if (!Array.isArray(shape))
      refuse('schema', `${path}.arrays.${key}`, 'a shape', describe(shape));
    stored[key] = takeArray(supply, `${name}.${key}`, shape);
    checkRead(`${name}.${key}`, key, stored[key]);
  }
  const restored = fromStored(algorithm, stored, exponent as number, `parameter ${quote(name)}`);
  return { ...(counters as { step: number }), arrays: restored };
}

function parseDocument(text: string | undefined, verified: boolean, most: number): Json {
  if (text === undefined) {
    refuse(
      'not-a-checkpoint',
      'the file',
      `metadata "${KEY}", which checkpoints of optimizers have`,
      'none: it has tensors alone',
    );
  }
  if (!verified) {
    const found = 'none: the file is damaged, or another program has written it without';
    refuse('corrupt', 'the file', `a checksum of its content (metadata "${CHECKSUM}")`, found);
  }
  if (countParts(text) > most) {
    refuse('json', `metadata "${KEY}"`, `at most ${most} objects, arrays and fields`, 'more');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = `checkpoint: metadata "${KEY}" expected JSON, got something else: ${(cause as Error).message}`;
    throw new CheckpointError('json', message, { cause });
  }
  const document = objectAt(`metadata "${KEY}"`, value);
  const { version } = document;
  if (version !== VERSION)
    refuse('version', 'version', `${VERSION}, the one this release knows`, describe(version));
  return document;
}

/** How many parts the JSON in a file of so many bytes may have. */
function partsIn(fileBytes: number): number {
  return BASE_PARTS + Math.floor(fileBytes / BYTES_PER_PART);
}

/** Objects, arrays and fields of a JSON text, or as many as it would have if it were one. */
function countParts(text: string): number {
  let count = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) inString = !inString;
    else if (inString) at += code === 0x5c ? 1 : 0;
    else if (code === 0x7b || code === 0x5b || code === 0x3a) count++;
  }
  return count;
}

function objectAt(path: string, value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  return refuse('schema', path, 'an object', describe(value));
}
