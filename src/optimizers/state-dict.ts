/**
 * The state dict: everything a resumed run needs to equal an uninterrupted one bit for bit, as plain data keyed by
 * parameter name.
 *
 * Invariant: loading checks the whole dict first; a dict that does not fit changes nothing.
 */
import { ArgumentError } from '../errors';
import type { Parameter } from '../tensors/parameter';
import { createRecord } from '../tensors/views';
import { checkInteger, checkNumber, describe, fail } from '../validate';
import type { StateTensor } from './compact-tensor';
import type { BaseHyperparameters, Fields } from './hyperparameters';
import { checkBoolean, type ParamGroup } from './param-group';
import { checkStateArray, copyStateArray, type StateArray, writeStateArray } from './state-array';
import type { Counters, StepTable } from './step-table';

/** A group in a state dict: besides these all hyperparameters by name; null for a learning rate that is a function. */
export interface StateDictGroup {
  params: readonly string[];
  frozen: boolean;
  lr: number | null;
  [hyperparameter: string]: unknown;
}

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
  /** Accepted steps. */
  step: number;
  groups: StateDictGroup[];
  params: Record<string, StateDictParameter>;
  state: Record<string, StateDictState>;
}

/** What an optimizer shows of itself. */
export interface StateParts<H extends BaseHyperparameters> {
  readonly rule: { readonly name: string; readonly stateNames: readonly string[]; readonly fields: Fields<H> };
  readonly step: number;
  readonly groups: readonly ParamGroup<H>[];
  readonly slots: readonly { readonly name: string; readonly parameter: Parameter; readonly states: readonly StateTensor[] }[];
  readonly table: StepTable;
}

export function readStateDict<H extends BaseHyperparameters>({ rule, step, groups, slots, table }: StateParts<H>): StateDict {
  const params = createRecord<StateDictParameter>();
  const state = createRecord<StateDictState>();
  for (const [index, { name, parameter, states }] of slots.entries()) {
    params[name] = { shape: parameter.value.shape, data: parameter.value.data.slice() };
    const arrays = createRecord<StateArray>();
    for (const [slot, stateName] of rule.stateNames.entries()) arrays[stateName] = copyStateArray(states[slot].data);
    state[name] = { ...table.counters(index), arrays };
  }
  return {
    version: 1,
    algorithm: rule.name,
    step,
    groups: groups.map(({ params, frozen, hyperparameters }) => {
      const { lr } = hyperparameters;
      return { ...hyperparameters, params, frozen, lr: typeof lr === 'number' ? lr : null };
    }),
    params,
    state,
  };
}

/** @param checkRule what the optimizer itself demands of its groups' hyperparameters */
export function applyStateDict<H extends BaseHyperparameters>(
  parts: StateParts<H>,
  dict: StateDict,
  checkRule: (hyperparameters: readonly H[]) => void,
): void {
  const hyperparameters = checkStateDict(parts, dict);
  checkRule(hyperparameters);
  const { rule, groups, slots, table } = parts;
  for (const [index, group] of groups.entries()) group.assign(hyperparameters[index], dict.groups[index].frozen);
  for (const [index, { name, parameter, states }] of slots.entries()) {
    parameter.value.data.set(dict.params[name].data);
    for (const [slot, stateName] of rule.stateNames.entries())
      writeStateArray(states[slot].data, dict.state[name].arrays[stateName]);
    table.setCounters(index, dict.state[name]);
  }
}

/** Checks everything; returns every group's hyperparameters. */
function checkStateDict<H extends BaseHyperparameters>({ rule, groups, slots }: StateParts<H>, dict: StateDict): H[] {
  if (typeof dict !== 'object' || dict === null) fail('stateDict', 'an object', dict);
  if (dict.version !== 1) fail('stateDict.version', '1', dict.version);
  if (dict.algorithm !== rule.name) fail('stateDict.algorithm', `'${rule.name}'`, dict.algorithm);
  checkInteger('stateDict.step', dict.step, 0, Number.MAX_SAFE_INTEGER);
  if (!Array.isArray(dict.groups) || dict.groups.length !== groups.length) {
    fail('stateDict.groups', `${groups.length} groups`, dict.groups);
  }
  const hyperparameters = groups.map((group, index) => {
    return checkGroup(`stateDict.groups[${index}]`, group, dict.groups[index], rule.fields);
  });
  checkKeys('stateDict.params', dict.params, slots);
  checkKeys('stateDict.state', dict.state, slots);
  for (const { name, parameter, states } of slots) {
    checkParameter(`stateDict.params.${name}`, parameter, dict.params[name]);
    checkState(`stateDict.state.${name}`, states, dict.state[name], rule.stateNames);
  }
  return hyperparameters;
}

function checkGroup<H extends BaseHyperparameters>(
  path: string,
  group: ParamGroup<H>,
  given: StateDictGroup,
  fields: Fields<H>,
): H {
  const names = given?.params;
  const same = Array.isArray(names) && names.length === group.params.length && names.every((name, i) => name === group.params[i]);
  if (!same) fail(`${path}.params`, `the parameters ${group.params.join(', ')}`, names);
  checkBoolean(`${path}.frozen`, given.frozen);
  const values: H = { ...group.hyperparameters };
  for (const name of Object.keys(fields) as (keyof H & string)[]) {
    if (name === 'lr' && given.lr === null) continue;
    values[name] = fields[name].check(`${path}.${name}`, given[name], '');
  }
  return values;
}

function checkKeys(path: string, record: object, slots: StateParts<never>['slots']): void {
  if (typeof record !== 'object' || record === null) fail(path, 'an object by parameter name', record);
  const known = new Set(slots.map(({ name }) => name));
  for (const name of Object.keys(record)) {
    if (!known.has(name)) throw new ArgumentError(`${path}.${name}`, 'the name of a parameter', 'an unknown name');
  }
  for (const name of known) {
    if (!Object.hasOwn(record, name)) throw new ArgumentError(`${path}.${name}`, 'an entry for every parameter', 'nothing');
  }
}

function checkParameter(path: string, { value }: Parameter, given: StateDictParameter): void {
  const { shape } = given ?? {};
  if (!Array.isArray(shape) || shape.length !== value.shape.length || shape.some((size, i) => size !== value.shape[i])) {
    fail(`${path}.shape`, describe([...value.shape]), shape);
  }
  checkArray(`${path}.data`, given.data, value.length);
}

function checkState(path: string, states: readonly StateTensor[], given: StateDictState, stateNames: readonly string[]): void {
  if (typeof given !== 'object' || given === null) fail(path, 'an object', given);
  checkInteger(`${path}.step`, given.step, 0, 2 ** 31 - 1);
  checkInteger(`${path}.exponent`, given.exponent, -1100, 1100);
  checkNumber(`${path}.V`, given.V, '[0, ∞)', (x) => x >= 0);
  checkNumber(`${path}.beta1Power`, given.beta1Power, '[0, 1]', (x) => x >= 0 && x <= 1);
  checkNumber(`${path}.beta2Power`, given.beta2Power, '[0, 1]', (x) => x >= 0 && x <= 1);
  checkNumber(`${path}.normMean`, given.normMean, '[0, ∞)', (x) => x >= 0);
  for (const [slot, name] of stateNames.entries())
    checkStateArray(`${path}.arrays.${name}`, given.arrays?.[name], states[slot].data);
}

function checkArray(path: string, value: unknown, length: number): void {
  if (!(value instanceof Float32Array) || value.length !== length) fail(path, `a Float32Array of ${length} elements`, value);
}
