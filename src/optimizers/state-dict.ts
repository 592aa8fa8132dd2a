/**
 * The state dict: everything a resumed run needs to equal an uninterrupted one bit for bit, as
 * plain data keyed by parameter name.
 *
 * Invariant: loading checks the whole dict first; a dict that does not fit changes nothing.
 */

import { ArgumentError } from '../errors';
import { nextExponent } from '../memory-layout/adal-scalars';
import { RULE_ADAL } from '../memory-layout/constants';
import type { Parameter } from '../tensors/parameter';
import { createRecord } from '../tensors/views';
import { checkInteger, checkNumber, describe, fail } from '../validate';
import type { BaseHyperparameters, Fields } from './hyperparameters';
import type { ParamGroup } from './param-group';
import type { Slot } from './registered-parameter';
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

/** One parameter's state: its counters and, by name, its arrays. */
export interface StateDictState extends Counters {
  arrays: Record<string, StateArray>;
}

export interface StateDict {
  /** Of this schema. */
  version: 1;
  /** The optimizer's name. */
  algorithm: string;
  /** Options that hold for all groups and for good, such as AdaL's `decay`. */
  options: FixedOptions;
  /** Accepted steps. */
  step: number;
  groups: StateDictGroup[];
  params: Record<string, StateDictParameter>;
  state: Record<string, StateDictState>;
}

/** Options of an optimizer that its groups have no say in and that never change. */
export type FixedOptions = Readonly<
  Record<string, number | string | boolean | null | { readonly [key: string]: number | string }>
>;

/** How a state dict is loaded. */
export interface LoadOptions {
  /**
   * True: the dict has the optimizer's groups and parameters, no more and no fewer. False: see
   * `Optimizer.loadStateDict`.
   * @default true
   */
  strict?: boolean;
}

/** What an optimizer shows of itself. */
export interface StateParts<H extends BaseHyperparameters> {
  readonly rule: {
    readonly name: string;
    readonly rule: number;
    readonly stateNames: readonly string[];
    readonly squares?: readonly string[];
    readonly scalarRange?: readonly [low: number, high: number];
    readonly initialScalar?: number;
    readonly fields: Fields<H>;
  };
  readonly options: FixedOptions;
  readonly step: number;
  readonly groups: readonly ParamGroup<H>[];
  readonly slots: readonly Pick<Slot, 'name' | 'parameter' | 'states' | 'rows'>[];
  readonly table: StepTable;
}

/** The array that a sparse parameter of a scaled rule has besides. */
const ROW_EXPONENTS = 'e';

type StateSlot = StateParts<never>['slots'][number];
/** What checks of a parameter's state need to know of the rule. */
type CheckedRule = Omit<StateParts<never>['rule'], 'fields'>;

export function readStateDict<H extends BaseHyperparameters>(parts: StateParts<H>): StateDict {
  const { rule, options, step, groups, slots, table } = parts;
  const params = createRecord<StateDictParameter>();
  const state = createRecord<StateDictState>();
  for (const [index, slot] of slots.entries()) {
    const { name, parameter } = slot;
    params[name] = { shape: parameter.value.shape, data: parameter.value.data.slice() };
    const arrays = createRecord<StateArray>();
    for (const [key, array] of liveArrays(rule.stateNames, slot))
      arrays[key] = copyStateArray(array);
    state[name] = { ...table.counters(index), arrays };
  }
  return {
    version: 1,
    algorithm: rule.name,
    options: { ...options },
    step,
    groups: groups.map(readGroup),
    params,
    state,
  };
}

/** A parameter's state arrays where they lie, by name. */
function liveArrays(
  stateNames: readonly string[],
  { states, rows }: StateSlot,
): [name: string, array: StateArray][] {
  const arrays = stateNames.map<[string, StateArray]>((name, index) => [name, states[index].data]);
  if (rows?.exponents) arrays.push([ROW_EXPONENTS, rows.exponents]);
  return arrays;
}

/**
 * @param dict whose getters have run: see snapshot.ts
 * @param checkRule what the optimizer itself demands of its groups' hyperparameters
 */
export function applyStateDict<H extends BaseHyperparameters>(
  parts: StateParts<H>,
  dict: StateDict,
  strict: boolean,
  checkRule: (hyperparameters: readonly H[]) => void,
): void {
  const { rule, groups, slots, table } = parts;
  checkHead(rule.name, parts.options, dict);
  const changes = checkGroups(groups, dict.groups, rule.fields, strict);
  const loaded = checkParameters(parts, dict, strict);
  checkRule(changes.map(({ hyperparameters }) => hyperparameters));
  assignGroups(groups, changes, () => {
    // Schedules were given their states, which runs code of the user's: it may have written into
    // the arrays.
    checkParameters(parts, dict, strict);
  });
  for (const [index, slot] of slots.entries()) {
    const { name, parameter } = slot;
    if (!loaded.has(name)) continue;
    parameter.value.data.set(dict.params[name].data);
    for (const [key, array] of liveArrays(rule.stateNames, slot))
      writeStateArray(array, dict.state[name].arrays[key]);
    table.setCounters(index, dict.state[name]);
  }
}

function checkHead(algorithm: string, options: FixedOptions, dict: StateDict): void {
  if (typeof dict !== 'object' || dict === null) fail('stateDict', 'an object', dict);
  if (dict.version !== 1) fail('stateDict.version', '1', dict.version);
  if (dict.algorithm !== algorithm) fail('stateDict.algorithm', `'${algorithm}'`, dict.algorithm);
  for (const [name, value] of Object.entries(options)) {
    const given = dict.options?.[name];
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
  { rule, slots }: StateParts<H>,
  dict: StateDict,
  strict: boolean,
): ReadonlySet<string> {
  checkKeys('stateDict.params', dict.params, slots, strict);
  checkKeys('stateDict.state', dict.state, slots, strict);
  const loaded = new Set<string>();
  for (const slot of slots) {
    const { name, parameter } = slot;
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
    checkState(
      `stateDict.state.${name}`,
      dict.state[name],
      rule,
      liveArrays(rule.stateNames, slot),
      strict,
    );
    checkQuotients(
      `stateDict.state.${name}.arrays`,
      dict.state[name].arrays,
      rule,
      parameter.value.length,
    );
    loaded.add(name);
  }
  return loaded;
}

function checkKeys(
  path: string,
  record: object,
  slots: readonly StateSlot[],
  strict: boolean,
): void {
  if (typeof record !== 'object' || record === null)
    fail(path, 'an object by parameter name', record);
  if (!strict) return;
  const known = new Set(slots.map(({ name }) => name));
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
  rule: CheckedRule,
  live: readonly [string, StateArray][],
  strict: boolean,
): void {
  if (typeof given !== 'object' || given === null) fail(path, 'an object', given);
  checkCounters(path, given, rule);
  for (const [name, array] of live) {
    checkStateArray(
      `${path}.arrays.${name}`,
      given.arrays?.[name],
      array,
      rule.squares?.includes(name),
    );
    if (name === ROW_EXPONENTS && array instanceof Int16Array)
      checkExponents(`${path}.arrays.${name}`, given.arrays[name]);
  }
  const unknown = Object.keys(given.arrays ?? {}).find(
    (name) => !live.some(([known]) => known === name),
  );
  if (strict && unknown !== undefined)
    throw new ArgumentError(`${path}.arrays.${unknown}`, 'a state array', 'an unknown name');
}

/** Steps of a tensor are counted in an i32 that may go on from here. */
const MAX_STEPS = 2 ** 30;
/** Beyond what V, an f64 that is at most (2^128·elements)^4, can make of the exponent. */
const MAX_EXPONENT = 600;

function checkCounters(path: string, given: StateDictState, rule: CheckedRule): void {
  const scaled = rule.rule === RULE_ADAL;
  const [low, high] = rule.scalarRange ?? [rule.initialScalar ?? 0, rule.initialScalar ?? 0];
  checkInteger(`${path}.step`, given.step, 0, MAX_STEPS);
  checkInteger(
    `${path}.exponent`,
    given.exponent,
    scaled ? -MAX_EXPONENT : 0,
    scaled ? MAX_EXPONENT : 0,
  );
  checkNumber(
    `${path}.V`,
    given.V,
    low === high ? `{${low}}` : `[${low}, ${high}]`,
    (x) => x >= low && x <= high,
  );
  checkNumber(`${path}.beta1Power`, given.beta1Power, '[0, 1]', (x) => x >= 0 && x <= 1);
  checkNumber(`${path}.beta2Power`, given.beta2Power, '[0, 1]', (x) => x >= 0 && x <= 1);
  checkNumber(`${path}.normMean`, given.normMean, '[0, ∞)', (x) => x >= 0);
  if (!scaled || given.V === 0) return;
  const exponent = nextExponent(given.V, 0);
  if (given.exponent !== exponent)
    fail(`${path}.exponent`, `${exponent}, as V = ${given.V} has it`, given.exponent);
}

function checkExponents(path: string, array: StateArray): void {
  const exponents = array as Int16Array;
  const index = exponents.findIndex((e) => e < -MAX_EXPONENT || e > MAX_EXPONENT);
  if (index >= 0)
    fail(
      `${path}[${index}]`,
      `an integer in [-${MAX_EXPONENT}, ${MAX_EXPONENT}]`,
      exponents[index],
    );
}

/** Names of a first moment that is divided by the root of the state array after it. */
const FIRST_MOMENTS = ['m', 'exp_avg'];

/**
 * A first moment that no gradients could have left beside its second would send the weight out of
 * float32. The bounds are far above what any gradients can: 2^13 where the quotient has a bound,
 * 2^110 where it has none.
 */
function checkQuotients(
  path: string,
  arrays: Record<string, StateArray>,
  rule: CheckedRule,
  length: number,
): void {
  const [first, second] = rule.stateNames;
  if (!FIRST_MOMENTS.includes(first) || !rule.squares?.includes(second)) return;
  const scaled = rule.rule === RULE_ADAL;
  const [most, least] = scaled ? [2 ** 50, 2 ** -63] : [2 ** 110, 2 ** -75];
  const m = readerOf(arrays[first], false);
  const v = readerOf(arrays[second], true);
  for (let i = 0; i < length; i++) {
    if (Math.abs(m(i)) <= most * Math.max(Math.sqrt(v(i)), least)) continue;
    fail(
      `${path}.${first}[${i}]`,
      `a first moment that fits beside ${second}[${i}] = ${v(i)}`,
      m(i),
    );
  }
}
