/**
 * The groups of a state dict: hyperparameters, frozen flags, and the state of schedules.
 *
 * Invariant: `checkGroups` changes nothing; `assignGroups` changes all groups, or none when a
 * schedule refuses its state.
 */
import { ArgumentError } from '../errors';
import {
  isStatefulSchedule,
  type Schedule,
  type ScheduleConfig,
  type ScheduleState,
} from '../schedules/schedule';
import { checkBoolean, describe, fail } from '../validate';
import type { BaseHyperparameters, Fields } from './hyperparameters';
import type { ParamGroup } from './param-group';

/** A learning rate function in a state dict. */
export interface StateDictSchedule {
  /**
   * Configuration for `scheduleFromConfig`; null for a function of your own. For information:
   * loading keeps the group's function.
   */
  config: ScheduleConfig | null;
  /** State between steps, such as that of `reduceOnPlateau`; null for a pure function. */
  state: ScheduleState | null;
}

/** A group in a state dict. It has all hyperparameters by name, besides these fields. */
export interface StateDictGroup {
  params: readonly string[];
  frozen: boolean;
  /** The learning rate; null if it is a function. */
  lr: number | null;
  /** The learning rate function; null if the learning rate is a number. */
  schedule: StateDictSchedule | null;
  [hyperparameter: string]: unknown;
}

/** The keys of a group in a state dict that are not hyperparameters. */
const GROUP_KEYS = ['params', 'frozen', 'lr', 'schedule'];

/** Returns a group as a state dict has it. */
export function readGroup<H extends BaseHyperparameters>({
  params,
  frozen,
  hyperparameters,
}: ParamGroup<H>): StateDictGroup {
  const { lr } = hyperparameters;
  if (typeof lr === 'number') return { ...hyperparameters, params, frozen, lr, schedule: null };
  const schedule = {
    config: (lr as Schedule).config ?? null,
    state: isStatefulSchedule(lr) ? lr.stateDict() : null,
  };
  return { ...hyperparameters, params, frozen, lr: null, schedule };
}

/** The values that a group is to have. */
export interface GroupChange<H> {
  readonly hyperparameters: H;
  readonly frozen: boolean;
  /** Loads the schedule's state, and undoes that; null without a state to load. */
  readonly schedule: { load(): void; undo(): void } | null;
}

/**
 * Returns the values that each group is to have.
 * @param given the groups of the dict: the same groups if `strict`; otherwise see
 * `Optimizer.loadStateDict`
 * @throws ArgumentError naming the key that does not fit
 */
export function checkGroups<H extends BaseHyperparameters>(
  groups: readonly ParamGroup<H>[],
  given: unknown,
  fields: Fields<H>,
  strict: boolean,
): GroupChange<H>[] {
  const sources = strict ? sameGroups(groups, given) : matchingGroups(groups, given);
  return groups.map((group, index) => checkGroup(group, sources[index], fields, strict));
}

/**
 * Assigns the values.
 * @param recheck checks the dict again once schedules have their states, if any has one
 * @throws ArgumentError when a schedule refuses its state; nothing has changed then
 */
export function assignGroups<H extends BaseHyperparameters>(
  groups: readonly ParamGroup<H>[],
  changes: readonly GroupChange<H>[],
  recheck: () => void,
): void {
  const loaded: { undo(): void }[] = [];
  try {
    // A schedule alone knows which states it takes, and says so only when it is given one.
    for (const { schedule } of changes) {
      schedule?.load();
      if (schedule) loaded.unshift(schedule);
    }
    if (loaded.length > 0) recheck();
  } catch (error) {
    for (const schedule of loaded) schedule.undo();
    throw error;
  }
  for (const [index, { hyperparameters, frozen }] of changes.entries())
    groups[index].assign(hyperparameters, frozen);
}

/** A group of the dict, and its path for errors. */
interface GroupSource {
  readonly path: string;
  readonly given: StateDictGroup;
}

type Named = readonly { readonly params: readonly string[] }[];

/** Returns the counterpart of each group: as many, with the same parameters in the same order. */
function sameGroups(groups: Named, given: unknown): GroupSource[] {
  if (!Array.isArray(given) || given.length !== groups.length)
    fail('stateDict.groups', `${groups.length} groups`, given);
  return groups.map(({ params }, index) => {
    const path = `stateDict.groups[${index}]`;
    const names: unknown = given[index]?.params;
    const same =
      Array.isArray(names) &&
      names.length === params.length &&
      names.every((name, i) => name === params[i]);
    if (!same) fail(`${path}.params`, `the parameters ${params.join(', ')}`, names);
    return { path, given: given[index] };
  });
}

/**
 * Returns for each group the group of the dict with the first of its parameters that the dict has;
 * null if the dict has none of them.
 */
function matchingGroups(groups: Named, given: unknown): (GroupSource | null)[] {
  if (!Array.isArray(given)) fail('stateDict.groups', 'an array of groups', given);
  const sources = new Map<unknown, GroupSource>();
  for (const [index, group] of given.entries()) {
    const path = `stateDict.groups[${index}]`;
    if (!Array.isArray(group?.params)) fail(`${path}.params`, 'an array of names', group?.params);
    for (const name of group.params) sources.set(name, { path, given: group });
  }
  return groups.map(({ params }) => sources.get(params.find((name) => sources.has(name))) ?? null);
}

function checkGroup<H extends BaseHyperparameters>(
  group: ParamGroup<H>,
  source: GroupSource | null,
  fields: Fields<H>,
  strict: boolean,
): GroupChange<H> {
  if (source === null)
    return { hyperparameters: group.hyperparameters, frozen: group.frozen, schedule: null };
  const { path, given } = source;
  const values: H = { ...group.hyperparameters };
  for (const name of Object.keys(fields) as (keyof H & string)[]) {
    const keep = (name === 'lr' && given.lr === null) || (!strict && given[name] === undefined);
    if (keep) continue;
    const value = fields[name].check(`${path}.${name}`, given[name], '');
    if (fields[name].laysOut && value !== values[name]) {
      fail(`${path}.${name}`, `${describe(values[name])}, as this optimizer has it`, value);
    }
    values[name] = value;
  }
  const unknown = Object.keys(given).find(
    (key) => !GROUP_KEYS.includes(key) && !Object.hasOwn(fields, key),
  );
  if (strict && unknown !== undefined)
    throw new ArgumentError(`${path}.${unknown}`, 'a hyperparameter', 'an unknown name');
  const frozen =
    !strict && given.frozen === undefined
      ? group.frozen
      : checkBoolean(`${path}.frozen`, given.frozen);
  return {
    hyperparameters: values,
    frozen,
    schedule: checkSchedule(`${path}.schedule.state`, values.lr, given, strict),
  };
}

/** Checks that a schedule with state gets one, and that a state has such a schedule. */
function checkSchedule(
  path: string,
  lr: BaseHyperparameters['lr'],
  { schedule }: StateDictGroup,
  strict: boolean,
): GroupChange<never>['schedule'] {
  const state = schedule?.state ?? null;
  if (!isStatefulSchedule(lr)) {
    if (strict && state !== null)
      throw new ArgumentError(path, "null, as the group's lr has no state", describe(state));
    return null;
  }
  if (state === null) return strict ? fail(path, "the state of the group's lr", state) : null;
  const before = lr.stateDict();
  const load = (): void => {
    try {
      lr.loadStateDict(state);
    } catch (error) {
      throw new ArgumentError(
        path,
        "a state that fits the group's lr",
        `one that it refuses: ${(error as Error).message}`,
      );
    }
  };
  return { load, undo: () => lr.loadStateDict(before) };
}
