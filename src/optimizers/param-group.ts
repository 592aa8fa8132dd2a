/** Groups of parameters that share hyperparameters. */
import { ArgumentError } from '../errors';
import type { Parameter, ParameterInit } from '../tensors/parameter';
import { checkBoolean, checkNumber, describe, fail, isRate, isRegExp } from '../validate';
import {
  type AnyHyperparameters,
  type BaseHyperparameters,
  FACTORS,
  type Fields,
  isFactor,
} from './hyperparameters';

/**
 * Parameters by name: values, shapes, or a model's own Parameter objects, which are used in place.
 */
export type ParameterRecord<Names extends string = string> = {
  readonly [Name in Names]: ParameterInit | Parameter;
};

/**
 * Selects parameters by name: those that a RegExp matches anywhere (its `lastIndex` is ignored), or
 * for which a function returns true.
 */
export type NameMatch = RegExp | ((name: string) => boolean);

/**
 * A param group to create. Hyperparameters that it leaves out come from the optimizer's options.
 */
export type ParamGroupInit<
  H extends object = AnyHyperparameters,
  Names extends string = string,
> = Partial<H> & {
  readonly params: ParameterRecord<Names>;
  /** Takes only the parameters of `params` whose names match. @default all of them */
  readonly match?: NameMatch;
  /**
   * Whether the parameters are frozen: left out of norms, finite checks and decay, with their state
   * kept.
   * @default false
   */
  readonly frozen?: boolean;
};

/** A group of the option `groups`: takes the parameters whose names match. */
export type MatchedGroup<H extends object = AnyHyperparameters> = Omit<
  ParamGroupInit<H>,
  'params' | 'match'
> & {
  readonly match: NameMatch;
};

/** All parameters as one group, or several groups. */
export type ParamsInit<H extends object = AnyHyperparameters, Names extends string = string> =
  | ParameterRecord<Names>
  | readonly ParamGroupInit<H, Names>[];

/**
 * A group of an optimizer, with its hyperparameters as properties. All but `betas`, `state` and
 * `min8bitSize` may be changed between steps; a wrong value throws at once and changes nothing.
 */
export type ParamGroup<H extends object = BaseHyperparameters> = ParamGroupBase<H> & H;

/** Properties that the groups of every optimizer have. */
export class ParamGroupBase<H extends object> {
  /** Index in `optimizer.paramGroups`. */
  readonly index: number;
  /** Names of its parameters. */
  readonly params: readonly string[];
  #values: H;
  #frozen: boolean;

  /** @internal */
  constructor(
    index: number,
    params: readonly string[],
    values: H,
    frozen: boolean,
    fields: Fields<H>,
    together: (values: H) => void,
  ) {
    this.index = index;
    this.params = Object.freeze([...params]);
    this.#values = values;
    this.#frozen = frozen;
    for (const name of Object.keys(fields) as (keyof H & string)[]) {
      const set = (value: unknown): void => {
        const changed = { ...this.#values, [name]: fields[name].check(name, value, '') };
        together(changed);
        this.#values = changed;
      };
      Object.defineProperty(this, name, {
        enumerable: true,
        get: () => this.#values[name],
        set: fields[name].fixed ? undefined : set,
      });
    }
  }

  /** Whether steps leave the parameters and their state as they are. */
  get frozen(): boolean {
    return this.#frozen;
  }

  set frozen(value: boolean) {
    this.#frozen = checkBoolean('frozen', value);
  }

  /** @internal All hyperparameters. */
  get hyperparameters(): Readonly<H> {
    return this.#values;
  }

  /** @internal Assigns hyperparameters that were checked. */
  assign(values: H, frozen: boolean): void {
    this.#values = values;
    this.#frozen = frozen;
  }
}

/** @internal Creates a group. @param together throws if hyperparameters do not fit one another */
export function createGroup<H extends object>(
  index: number,
  params: readonly string[],
  values: H,
  frozen: boolean,
  fields: Fields<H>,
  together: (values: H) => void,
): ParamGroup<H> {
  return new ParamGroupBase(index, params, values, frozen, fields, together) as ParamGroup<H>;
}

/**
 * Returns the names in a record of parameters.
 * @param where how errors name the record
 * @throws ArgumentError for anything but an object with at least one parameter
 */
function namesIn(params: unknown, where: string): string[] {
  if (
    typeof params !== 'object' ||
    params === null ||
    Array.isArray(params) ||
    ArrayBuffer.isView(params)
  ) {
    fail(where, 'an object of parameters by name', params);
  }
  const names = Object.keys(params);
  if (names.length === 0) fail(where, 'at least one parameter', params);
  return names;
}

/**
 * Returns the names of the parameters that a group takes, and adds them to `taken`.
 * @param path how errors name the group, and `inGroup` its record in it
 */
export function groupNames(
  { params, match }: ParamGroupInit,
  path: string,
  inGroup: string,
  taken: Set<string>,
): string[] {
  const where = path + inGroup;
  const names = namesIn(params, where);
  if (match !== undefined) return takeMatching(path, match, names, taken);
  for (const name of names) {
    if (taken.has(name))
      throw new ArgumentError(
        `${where}.${name}`,
        'a name that no other parameter has',
        `"${name}" again`,
      );
    taken.add(name);
  }
  return names;
}

/**
 * Splits one record into groups: first the parameters that no group matches, if any, then those of
 * every group.
 * @returns the groups without `match`, and how errors name them
 */
export function splitByMatch<H extends object>(
  params: ParamsInit<H>,
  groups: readonly MatchedGroup[],
): { inits: ParamGroupInit<H>[]; paths: string[] } {
  const names = namesIn(params, 'params');
  if (!Array.isArray(groups) || groups.length === 0)
    fail('groups', 'an array of at least one group', groups);
  const pick = (own: readonly string[]) =>
    Object.fromEntries(own.map((name) => [name, (params as ParameterRecord)[name]]));
  const taken = new Set<string>();
  const paths = groups.map((_, index) => `groups[${index}]`);
  const inits = groups.map((group: MatchedGroup, index) => {
    const path = paths[index];
    if (typeof group !== 'object' || group === null) fail(path, 'an options object', group);
    if ('params' in group) fail(`${path}.params`, 'nothing beside "match"', group.params);
    const { match, ...rest } = group;
    return { ...rest, params: pick(takeMatching(path, match, names, taken)) };
  });
  const left = names.filter((name) => !taken.has(name));
  if (left.length > 0) {
    inits.unshift({ params: pick(left) });
    paths.unshift('params');
  }
  return { inits: inits as ParamGroupInit<H>[], paths };
}

/**
 * Returns the names that match.
 * @param path how errors name the match
 * @throws ArgumentError if none does
 */
export function matchNames(path: string, match: NameMatch, names: readonly string[]): string[] {
  const isFunction = typeof match === 'function';
  if (!isFunction && !isRegExp(match)) fail(path, 'a RegExp or a function of the name', match);
  const own = names.filter((name) => {
    // `search` neither reads nor leaves a lastIndex, as `test` does with the flags g and y.
    return isFunction
      ? checkBoolean(`${path}(${describe(name)})`, match(name))
      : name.search(match) >= 0;
  });
  if (own.length === 0)
    throw new ArgumentError(path, 'to match at least one parameter', `none of ${names.length}`);
  return own;
}

/** Returns the names that match, and adds them to `taken`. */
function takeMatching(
  group: string,
  match: NameMatch,
  names: readonly string[],
  taken: Set<string>,
): string[] {
  const path = `${group}.match`;
  const own = matchNames(path, match, names);
  for (const name of own) {
    if (taken.has(name))
      throw new ArgumentError(path, 'names that no other group takes', `${describe(name)} again`);
    taken.add(name);
  }
  return own;
}

/** A function of the step that sets the momentum besides the learning rate. */
interface MomentumSchedule {
  momentum(step: number): number | undefined;
}

/** Tells whether a learning rate sets the momentum as well: `oneCycle` with `cycleMomentum`. */
export function cyclesMomentum(lr: unknown): lr is MomentumSchedule {
  return typeof lr === 'function' && typeof (lr as { momentum?: unknown }).momentum === 'function';
}

/** A group's momentum where no schedule sets it. */
export const OWN_MOMENTUM = -1;

/**
 * Returns the momentum that a group's schedule sets for a step; OWN_MOMENTUM if it sets none.
 * @param step the step, 1-based
 */
export function scheduledMomentum({ lr }: BaseHyperparameters, step: number): number {
  if (!cyclesMomentum(lr)) return OWN_MOMENTUM;
  const momentum = lr.momentum(step);
  if (momentum === undefined) return OWN_MOMENTUM;
  return checkNumber(`lr.momentum(${step})`, momentum, FACTORS, isFactor);
}

/**
 * Returns the learning rate of a step.
 * @param step the step, 1-based
 */
export function learningRateAt({ lr }: BaseHyperparameters, step: number): number {
  if (typeof lr === 'number') return lr;
  const value = lr(step);
  return isRate(value) ? value : fail(`lr(${step})`, 'a number in [0, 2^64)', value);
}
