/**
 * Checkpoints of optimizers: a state dict as one safetensors file, which other tools can read too.
 *
 *     w                          a parameter
 *     w.exp_avg, w.exp_avg_sq …  the arrays of its state (state-tensors.ts)
 *     extras.…                   typed arrays in the caller's own data (plain-data.ts)
 *     __metadata__.adal_checkpoint, JSON:
 *       { version,
 *         stateDict: { version, algorithm, options, step, groups },  the rest of the state dict
 *         state: { w: { step, beta1Power, …, arrays: { exp_avg: [shape] } } },
 *         extras }
 *
 * The file carries a checksum of all of it (content-checksum.ts).
 *
 * Invariant: decoding returns what was encoded, bit for bit, or throws. It throws if the file has a
 * tensor that belongs to nothing, and if any part of the file is damaged.
 */
import { ArgumentError, CheckpointError } from '../errors';
import { elementCount } from '../math/shape';
import type { StateArray } from '../optimizers/state-array';
import type { StateDict, StateDictState } from '../optimizers/state-dict';
import { describe, fail, isFloat32Array } from '../validate';
import { findWrongAdalScalar } from './adal-moments';
import { CHECKSUM } from './content-checksum';
import { migrateStateScalars } from './migrate-state';
import { quote, refuse, TensorCollector, TensorSupply } from './named-tensors';
import { fromJson, type PlainData, toJson } from './plain-data';
import { encodeSafetensors } from './safetensors';
import { readSafetensors } from './safetensors-reader';
import {
  fileNamesOf,
  fromFileArrays,
  lengthOf,
  takeArray,
  tensorsOf,
  toFileArrays,
} from './state-tensors';
import {
  checkAnyStateArray,
  findWrongScalar,
  findWrongValue,
  type StateScalars,
} from './state-values';

/** Data of your own to keep in a checkpoint, by name. */
export type CheckpointExtras = Readonly<Record<string, PlainData>>;

/** The contents of a checkpoint. */
export interface Checkpoint {
  /** State dict for `optimizer.loadStateDict`. Some of its arrays are views of the file's bytes. */
  stateDict: StateDict;
  /** Data of your own, as it was given to `encodeCheckpoint`; `{}` if none was given. */
  extras: Record<string, PlainData>;
}

/** The key of the metadata that holds the JSON above. */
const KEY = 'adal_checkpoint';
/** Version of the layout above. */
const VERSION = 1;
/**
 * Bounds on the objects, arrays and fields in a checkpoint's JSON: a base, and one more for each
 * BYTES_PER_PART bytes of the file. Each takes about 260 bytes of memory, so without a bound a file
 * could take a large multiple of its size. A parameter has 20 of them and more than 600 bytes.
 */
const BASE_PARTS = 250_000;
const BYTES_PER_PART = 32;

type Json = Record<string, unknown>;

/**
 * Encodes a state dict, and data of your own, as one safetensors file.
 *
 * The file holds each parameter under its name and each state array as `<parameter>.<array>`:
 * Adam's are `w.exp_avg` and `w.exp_avg_sq`. It holds AdaL's moments under the same names, in true
 * scale (m'·2^e and v'·2^(2e)), if each of them is 0 or a normal float32 number there; otherwise,
 * and for compact state, it holds the scaled m' and v' as `w.adal_m` and `w.adal_v`. All other
 * numbers are in one JSON text.
 *
 * @param stateDict as `optimizer.stateDict()` returns it
 * @param extras JSON values and typed arrays by name, nested as you like:
 *   `{ epoch: 3, average: average.stateDict() }`
 * @default extras {}
 * @returns the bytes of the file
 * @throws ArgumentError naming the key: for anything but a state dict or plain data, for numbers
 *   that no optimizer can load (not finite, or a second moment below 0), and for names that collide
 *   in the file (`__metadata__`; `w.exp_avg` beside `w`)
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
  const most = maxParts(bytes.length);
  if (countParts(text) > most)
    fail('extras', `at most ${most} objects, arrays and fields, typed arrays apart`, extras);
  return bytes;
}

/**
 * Decodes a checkpoint.
 *
 * Verifies the checksum and checks the numbers that every optimizer's state has;
 * `optimizer.loadStateDict` checks whether the state fits the optimizer. Reads the files of earlier
 * versions too.
 *
 * @param bytes the whole file
 * @throws CheckpointError with one of these reasons:
 *   - `'not-a-checkpoint'`: a safetensors file without the metadata of a checkpoint
 *   - `'json'`: the metadata is not JSON, or has too many parts
 *   - `'version'`: a newer release wrote the file
 *   - `'schema'`: a key of the JSON is missing or wrong
 *   - `'missing'`, `'unexpected'`, `'dtype'`, `'shape'`: a tensor is missing, belongs to nothing,
 *     or has the wrong element type or shape
 *   - `'state'`: AdaL's state is incomplete or in both forms, a number is not finite, or a second
 *     moment is below 0
 *   - `'corrupt'`: the checksum is missing or does not match
 *   - any reason of `decodeSafetensors`
 * @throws ArgumentError if `bytes` is not a Uint8Array
 * @example
 * const { stateDict, extras } = decodeCheckpoint(bytes);
 * optimizer.loadStateDict(stateDict);
 * console.log(extras.epoch);
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata, verified } = readSafetensors(bytes);
  const document = parseDocument(metadata[KEY], verified, maxParts(bytes.length));
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

/** Adds the arrays of all states, and returns everything else in them as JSON. */
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
    const { arrays, ...scalars } = entry ?? fail(path, 'an entry for every parameter', entry);
    if (typeof arrays !== 'object' || arrays === null)
      fail(`${path}.arrays`, 'an object of arrays by name', arrays);
    for (const [key, array] of Object.entries(arrays)) {
      checkAnyStateArray(`${path}.arrays.${key}`, array);
      checkGiven(`${path}.arrays.${key}`, key, array);
    }
    const wrong = findWrong(algorithm, scalars as StateScalars);
    if (wrong) fail(`${path}.${wrong.key}`, wrong.expected, wrong.value);
    const shapes: Json = Object.create(null);
    const stored = toFileArrays(algorithm, arrays, scalars as StateScalars, `${path}.arrays`);
    for (const [key, array] of stored) {
      const length = lengthOf(array);
      shapes[key] = length === data.length ? shape : [length];
      for (const [suffix, tensor] of tensorsOf(array, shapes[key] as readonly number[])) {
        collector.add(`${name}.${key}${suffix}`, `${path}.arrays.${key}`, tensor);
      }
    }
    for (const key of fileNamesOf(algorithm, arrays)) {
      if (!Object.hasOwn(shapes, key)) collector.reserve(`${name}.${key}`, `${path}.arrays.${key}`);
    }
    json[name] = { ...(toJson(path, scalars, null) as Json), arrays: shapes };
  }
  return json;
}

function findWrong(algorithm: string, scalars: StateScalars) {
  return findWrongScalar(scalars) ?? (algorithm === 'adal' ? findWrongAdalScalar(scalars) : null);
}

/** Refuses to write what could not be read again, since it would replace a file that can. */
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
  const { arrays, ...stored } = json;
  const scalars = migrateStateScalars(algorithm, stored);
  const wrong = findWrong(algorithm, scalars);
  if (wrong) refuse('schema', `${path}.${wrong.key}`, wrong.expected, describe(wrong.value));
  const found: StateDictState['arrays'] = Object.create(null);
  for (const [key, shape] of Object.entries(objectAt(`${path}.arrays`, arrays))) {
    if (!Array.isArray(shape))
      refuse('schema', `${path}.arrays.${key}`, 'a shape', describe(shape));
    found[key] = takeArray(supply, `${name}.${key}`, shape);
    checkRead(`${name}.${key}`, key, found[key]);
  }
  const restored = fromFileArrays(algorithm, found, scalars, `parameter ${quote(name)}`);
  return { ...(scalars as { step: number }), arrays: restored };
}

function parseDocument(text: string | undefined, verified: boolean, most: number): Json {
  if (text === undefined) {
    refuse(
      'not-a-checkpoint',
      'the file',
      `the metadata "${KEY}" of an optimizer's checkpoint`,
      'none: it holds only tensors',
    );
  }
  if (!verified) {
    const found = 'none: the file is damaged, or another program wrote it without one';
    refuse('corrupt', 'the file', `a checksum of its content (metadata "${CHECKSUM}")`, found);
  }
  if (countParts(text) > most) {
    refuse('json', `metadata "${KEY}"`, `at most ${most} objects, arrays and fields`, 'more');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const expected = `checkpoint: metadata "${KEY}" expected JSON, got something else`;
    throw new CheckpointError('json', `${expected}: ${(cause as Error).message}`, { cause });
  }
  const document = objectAt(`metadata "${KEY}"`, value);
  const { version } = document;
  if (version !== VERSION)
    refuse('version', 'version', `${VERSION}, the one this release reads`, describe(version));
  return document;
}

/** Returns how many objects, arrays and fields the JSON in a file of this size may have. */
function maxParts(fileBytes: number): number {
  return BASE_PARTS + Math.floor(fileBytes / BYTES_PER_PART);
}

/** Counts the objects, arrays and fields of a JSON text without parsing it. */
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
