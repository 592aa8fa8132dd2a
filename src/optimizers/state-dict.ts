/**
 * The state dict: everything a resumed run needs to equal an uninterrupted one bit for bit, as
 * plain data keyed by parameter name.
 *
 * Invariant: loading checks the whole dict first; a dict that does not fit changes nothing.
 */
import { ArgumentError } from '../errors';
import type { Parameter } from '../tensors/parameter';
import { createRecord } from '../tensors/views';
import { checkInteger, describe, fail } from '../validate';
import type { Algorithm } from './declaration';
import type { BaseHyperparameters, Fields, FixedOptions } from './hyperparameters';
import type { ParamGroup } from './param-group';
import type { RegisteredParameter } from './registered-parameter';
import {
  checkStateArray,
  copyStateArray,
  readerOf,
  type StateArray,
  writeStateArray,
} from './state-array';
import { assignGroups, checkGroups, readGroup, type StateDictGroup } from './state-dict-groups';
import type { Counters, StepTable } from './step-table';

export type { StateDictGroup, StateDictSchedule } from './state-dict-groups';

/** One parameter's values. */
export interface StateDictParameter {
  shape: readonly number[];
  data: Float32Array;
}

/**
 * One parameter's state: its arrays by name, and by name the numbers that its optimizer keeps, such
 * as `beta1Power` and `beta2Power` of Adam.
 */
export interface StateDictState {
  /** Accepted steps of the parameter. */
  step: number;
  arrays: Record<string, StateArray>;
  [scalar: string]: number | Record<string, StateArray>;
}

/**
 * The state of an optimizer as plain data with copies of all arrays: what `stateDict()` returns and
 * `loadStateDict()` accepts. A run resumed from it equals an uninterrupted one bit for bit.
 */
export interface StateDict {
  /** Version of this schema. */
  version: 1;
  /** The optimizer's name. */
  algorithm: string;
  /** Options that hold for all groups and never change, such as AdaL's `decay`. */
  options: FixedOptions;
  /** Accepted steps. */
  step: number;
  groups: StateDictGroup[];
  params: Record<string, StateDictParameter>;
  state: Record<string, StateDictState>;
}

/** Options of `loadStateDict`. */
export interface LoadOptions {
  /**
   * True: the dict must have exactly the optimizer's groups and parameters. False: see
   * `Optimizer.loadStateDict`.
   * @default true
   */
  strict?: boolean;
}

/** The parts of an optimizer that its state dict is made of. */
export interface StateParts<H extends BaseHyperparameters> {
  readonly name: string;
  readonly fields: Fields<H>;
  readonly algorithm: Algorithm<H>;
  readonly options: FixedOptions;
  readonly step: number;
  readonly groups: readonly ParamGroup<H>[];
  readonly parameters: readonly StatefulParameter[];
  readonly table: StepTable;
}

type StatefulParameter = Pick<
  RegisteredParameter,
  'name' | 'parameter' | 'states' | 'stateNames' | 'rows'
>;
/** The parts of an algorithm that the checks of a parameter's state use. */
type CheckedAlgorithm = Pick<
  Algorithm<never>,
  'squares' | 'scalars' | 'checkScalars' | 'stateScale' | 'momentRatio'
>;

/** Name of the array of exponents that a sparse parameter has where the state is scaled. */
const ROW_EXPONENTS = 'e';

/** Returns a copy of an optimizer's state. */
export function readStateDict<H extends BaseHyperparameters>(parts: StateParts<H>): StateDict {
  const { name: optimizer, algorithm, options, step, groups, parameters, table } = parts;
  const params = createRecord<StateDictParameter>();
  const state = createRecord<StateDictState>();
  for (const [index, registered] of parameters.entries()) {
    const { name, parameter } = registered;
    params[name] = { shape: parameter.value.shape, data: parameter.value.data.slice() };
    const arrays = createRecord<StateArray>();
    for (const [key, array] of liveArrays(registered)) arrays[key] = copyStateArray(array);
    state[name] = { ...namedCounters(algorithm, table.counters(index)), arrays };
  }
  return {
    version: 1,
    algorithm: optimizer,
    options: { ...options },
    step,
    groups: groups.map(readGroup),
    params,
    state,
  };
}

/** The counters of a parameter, its scalars by name. */
function namedCounters(
  { scalars = {} }: CheckedAlgorithm,
  counters: Counters,
): Record<string, number> & { step: number } {
  const names = Object.keys(scalars);
  const own = Object.fromEntries(names.map((name, index) => [name, counters.scalars[index]]));
  return { step: counters.step, ...own };
}

/** A parameter's state arrays where they lie, by name. */
function liveArrays({
  states,
  stateNames,
  rows,
}: StatefulParameter): [name: string, array: StateArray][] {
  const arrays = stateNames.map<[string, StateArray]>((name, index) => [name, states[index].data]);
  if (rows?.exponents) arrays.push([ROW_EXPONENTS, rows.exponents]);
  return arrays;
}

/**
 * Loads a state dict into an optimizer.
 * @param dict a dict whose getters have run: see snapshot.ts
 * @param check checks the hyperparameters of all groups
 * @throws ArgumentError naming the key that does not fit; nothing has changed then
 */
export function applyStateDict<H extends BaseHyperparameters>(
  parts: StateParts<H>,
  dict: StateDict,
  strict: boolean,
  check: (hyperparameters: readonly H[]) => void,
): void {
  const { algorithm, groups, parameters, table } = parts;
  checkHead(parts.name, parts.options, dict);
  const changes = checkGroups(groups, dict.groups, parts.fields, strict);
  const loaded = checkParameters(parts, dict, strict);
  check(changes.map(({ hyperparameters }) => hyperparameters));
  assignGroups(groups, changes, () => {
    // Schedules were given their states, which runs code of the user's: it may have written into
    // the arrays.
    checkParameters(parts, dict, strict);
  });
  const names = Object.keys(algorithm.scalars ?? {});
  for (const [index, registered] of parameters.entries()) {
    const { name, parameter } = registered;
    if (!loaded.has(name)) continue;
    const given = dict.state[name];
    parameter.value.data.set(dict.params[name].data);
    for (const [key, array] of liveArrays(registered)) writeStateArray(array, given.arrays[key]);
    table.setCounters(index, { step: given.step, scalars: names.map((key) => Number(given[key])) });
  }
}

function checkHead(algorithm: string, options: FixedOptions, dict: StateDict): void {
  if (typeof dict !== 'object' || dict === null) fail('stateDict', 'an object', dict);
  if (dict.version !== 1) fail('stateDict.version', '1', dict.version);
  if (dict.algorithm !== algorithm) fail('stateDict.algorithm', `'${algorithm}'`, dict.algorithm);
  for (const [name, value] of Object.entries(options)) {
    const given = dict.options?.[name];
    if (given === undefined && value === false) continue; // the file is older than the option
    if (JSON.stringify(given) !== JSON.stringify(value)) {
      throw new ArgumentError(
        `stateDict.options.${name}`,
        `${optionText(value)}, as this optimizer has it`,
        optionText(given),
      );
    }
  }
  checkInteger('stateDict.step', dict.step, 0, Number.MAX_SAFE_INTEGER);
}

/** Objects among the options are small. */
function optionText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : describe(value);
}

/** Checks parameters and their state; returns the names of those to load. */
function checkParameters<H extends BaseHyperparameters>(
  { algorithm, parameters }: StateParts<H>,
  dict: StateDict,
  strict: boolean,
): ReadonlySet<string> {
  checkKeys('stateDict.params', dict.params, parameters, strict);
  checkKeys('stateDict.state', dict.state, parameters, strict);
  const loaded = new Set<string>();
  for (const registered of parameters) {
    const { name, parameter } = registered;
    const has = [Object.hasOwn(dict.params, name), Object.hasOwn(dict.state, name)];
    if (!has[0] && !has[1]) continue;
    if (!has[0] || !has[1]) {
      throw new ArgumentError(
        `stateDict.${has[0] ? 'state' : 'params'}.${name}`,
        'an entry beside the other',
        'nothing',
      );
    }
    checkParameter(`stateDict.params.${name}`, parameter, dict.params[name]);
    const live = liveArrays(registered);
    checkState(`stateDict.state.${name}`, dict.state[name], algorithm, live, strict);
    checkMomentRatio(
      `stateDict.state.${name}.arrays`,
      dict.state[name].arrays,
      algorithm,
      parameter.value.length,
    );
    loaded.add(name);
  }
  return loaded;
}

function checkKeys(
  path: string,
  record: object,
  parameters: readonly StatefulParameter[],
  strict: boolean,
): void {
  if (typeof record !== 'object' || record === null)
    fail(path, 'an object by parameter name', record);
  if (!strict) return;
  const known = new Set(parameters.map(({ name }) => name));
  for (const name of Object.keys(record)) {
    if (!known.has(name))
      throw new ArgumentError(`${path}.${name}`, 'the name of a parameter', 'an unknown name');
  }
  for (const name of known) {
    if (!Object.hasOwn(record, name))
      throw new ArgumentError(`${path}.${name}`, 'an entry for every parameter', 'nothing');
  }
}

function checkParameter(path: string, { value }: Parameter, given: StateDictParameter): void {
  const { shape } = given ?? {};
  if (
    !Array.isArray(shape) ||
    shape.length !== value.shape.length ||
    shape.some((size, i) => size !== value.shape[i])
  ) {
    fail(`${path}.shape`, describe([...value.shape]), shape);
  }
  checkStateArray(`${path}.data`, given.data, value.data);
}

function checkState(
  path: string,
  given: StateDictState,
  algorithm: CheckedAlgorithm,
  live: readonly [string, StateArray][],
  strict: boolean,
): void {
  if (typeof given !== 'object' || given === null) fail(path, 'an object', given);
  checkCounters(path, given, algorithm);
  for (const [name, array] of live) {
    checkStateArray(
      `${path}.arrays.${name}`,
      given.arrays?.[name],
      array,
      algorithm.squares?.includes(name),
    );
    if (name === ROW_EXPONENTS && array instanceof Int16Array)
      checkExponents(`${path}.arrays.${name}`, given.arrays[name], algorithm);
  }
  const unknown = Object.keys(given.arrays ?? {}).find(
    (name) => !live.some(([known]) => known === name),
  );
  if (strict && unknown !== undefined)
    throw new ArgumentError(`${path}.arrays.${unknown}`, 'a state array', 'an unknown name');
}

/** Steps of a tensor are counted in an i32 that may go on from here. */
const MAX_STEPS = 2 ** 30;

function checkCounters(
  path: string,
  given: StateDictState,
  { scalars = {}, checkScalars }: CheckedAlgorithm,
): void {
  checkInteger(`${path}.step`, given.step, 0, MAX_STEPS);
  for (const [name, field] of Object.entries(scalars))
    field.check(`${path}.${name}`, given[name] as number);
  checkScalars?.(path, given as Readonly<Record<string, number>> & StateDictState);
}

/** The rows' exponents are in the range of the scalar that scales the whole state. */
function checkExponents(
  path: string,
  array: StateArray,
  { scalars, stateScale }: CheckedAlgorithm,
): void {
  const field = scalars?.[stateScale ?? ''];
  for (const [index, exponent] of (array as Int16Array).entries())
    field?.check(`${path}[${index}]`, exponent);
}

/**
 * Refuses a first moment that no gradients could have left beside its second: it would send the
 * weight out of float32.
 */
function checkMomentRatio(
  path: string,
  arrays: Record<string, StateArray>,
  { momentRatio }: CheckedAlgorithm,
  length: number,
): void {
  if (momentRatio === undefined) return;
  const { first, second, linear = false, most, least } = momentRatio;
  if (arrays[first] === undefined || arrays[second] === undefined) return; // of another group
  const m = readerOf(arrays[first], false);
  const v = readerOf(arrays[second], true);
  for (let i = 0; i < length; i++) {
    const divisor = linear ? v(i) : Math.sqrt(v(i));
    if (Math.abs(m(i)) <= most * Math.max(divisor, least)) continue;
    const expected = `a first moment that fits beside ${second}[${i}] = ${v(i)}`;
    fail(`${path}.${first}[${i}]`, expected, m(i));
  }
}
