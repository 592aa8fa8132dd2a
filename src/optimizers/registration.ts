/**
 * Registration of an optimizer's parameters: groups are checked first, then all of their memory is
 * allocated, or none.
 */
import { ArgumentError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import { checkBoolean, copyOptions, fail } from '../validate';
import type { Algorithm } from './declaration';
import {
  type BaseHyperparameters,
  type CompactStateOptions,
  checkDecay,
  checkFields,
  type Fields,
} from './hyperparameters';
import {
  createGroup,
  cyclesMomentum,
  groupNames,
  type MatchedGroup,
  type ParameterRecord,
  type ParamGroup,
  type ParamGroupInit,
  type ParamsInit,
  splitByMatch,
} from './param-group';
import {
  allocateParameter,
  type CheckedParameter,
  checkInit,
  type RegisteredParameter,
  releaseParameter,
} from './registered-parameter';
import type { TableOptions } from './step-table';

/** Groups as they were given, and how errors name them. */
export interface GivenGroups<H extends object> {
  readonly inits: readonly ParamGroupInit<H>[];
  readonly paths: readonly string[];
  /** How errors name the record of parameters in a group. */
  readonly inGroup: string;
}

/** Lists the groups that a constructor was given. */
export function listGroups<H extends object>(
  params: ParamsInit<H>,
  matched?: readonly MatchedGroup[],
): GivenGroups<H> {
  if (matched !== undefined) return { ...splitByMatch<H>(params, matched), inGroup: '.params' };
  if (!Array.isArray(params)) {
    const init = { params: params as ParameterRecord } as ParamGroupInit<H>;
    return { inits: [init], paths: ['params'], inGroup: '' };
  }
  if (params.length === 0) fail('params', 'at least one param group', params);
  const paths = params.map((_, offset) => (params.length > 1 ? `params[${offset}]` : 'params'));
  return { inits: params as readonly ParamGroupInit<H>[], paths, inGroup: '.params' };
}

/** The optimizer that parameters are registered with. */
export interface RegisteringOptimizer<H extends BaseHyperparameters> {
  readonly runtime: Runtime;
  readonly fields: Fields<H>;
  readonly algorithm: Algorithm<H>;
  readonly defaults: H;
  readonly seed: number;
  readonly table: TableOptions;
  /** Registered already. */
  readonly groups: readonly ParamGroup<H>[];
  readonly parameters: readonly RegisteredParameter[];
  /** Throws ArgumentError unless a group's hyperparameters fit one another. */
  check(values: H, where: string): void;
}

/**
 * Checks that the hyperparameters of one group fit one another.
 * @param name of the optimizer
 * @param where how errors name the group
 * @throws ArgumentError
 */
export function checkTogether<H extends BaseHyperparameters>(
  algorithm: Algorithm<H>,
  name: string,
  values: H,
  where: string,
): void {
  if (typeof values.lr === 'number') checkDecay(values.lr, values.weightDecay, where);
  else if (cyclesMomentum(values.lr) && !algorithm.writeMomentum) {
    const expected = `a schedule without cycleMomentum, which this ${name} cannot follow`;
    throw new ArgumentError(`lr${where}`, expected, 'one with it');
  }
  algorithm.check?.(values, where);
}

/** Checks new groups and the parameters that they are to have. @throws ArgumentError */
export function checkNewGroups<H extends BaseHyperparameters>(
  {
    runtime,
    fields,
    algorithm,
    defaults,
    groups: known,
    parameters,
    check,
  }: RegisteringOptimizer<H>,
  { inits, paths, inGroup }: GivenGroups<H>,
): { groups: ParamGroup<H>[]; checked: CheckedParameter[] } {
  const groups: ParamGroup<H>[] = [];
  const checked: CheckedParameter[] = [];
  const taken = new Set(parameters.map(({ name }) => name));
  for (const [offset, given] of inits.entries()) {
    const index = known.length + offset;
    const keys = ['params', 'match', 'frozen', ...Object.keys(fields)];
    const init = copyOptions(paths[offset], given, keys);
    const names = groupNames(init, paths[offset], inGroup, taken);
    const where = inits.length > 1 ? ` (group ${index})` : '';
    const values = checkFields(fields, init as Partial<H>, defaults, where);
    const frozen = checkBoolean('frozen', init.frozen ?? false);
    const entries = names.map((name) => ({
      name,
      init: checkInit(name, init.params[name], runtime),
    }));
    for (const part of algorithm.splitGroup?.(values, entries) ?? [{ values, entries }]) {
      check(part.values, where);
      const group = known.length + groups.length;
      const own = part.entries.map(({ name }) => name);
      const together = (changed: H) => check(changed, '');
      groups.push(createGroup(group, own, part.values, frozen, fields, together));
      checked.push(...part.entries.map((entry) => ({ ...entry, group })));
    }
  }
  const all = [...known, ...groups];
  algorithm.checkGroups?.(all.map(({ hyperparameters }) => hyperparameters));
  return { groups, checked };
}

/**
 * Allocates parameters and their state; then `describe` makes room for their records.
 * @throws ArgumentError, OutOfMemoryError; nothing stays allocated then
 */
export function allocateParameters<H extends BaseHyperparameters>(
  { runtime, algorithm, seed, table, groups: known }: RegisteringOptimizer<H>,
  groups: readonly ParamGroup<H>[],
  checked: readonly CheckedParameter[],
  describe: (parameters: readonly RegisteredParameter[]) => void,
): RegisteredParameter[] {
  const { stateNames, derivedCount = 0, scalars = {}, stateScale, byRows = true } = algorithm;
  const scale = stateScale === undefined ? -1 : Object.keys(scalars).indexOf(stateScale);
  const parameters: RegisteredParameter[] = [];
  try {
    for (const entry of checked) {
      const { hyperparameters } = groups[entry.group - known.length];
      const { state: format = 'f32', min8bitSize = 0 } =
        hyperparameters as Partial<CompactStateOptions>;
      const matrix = algorithm.isMatrixGroup?.(hyperparameters) ?? false;
      const plan = {
        count: stateNames.length + derivedCount,
        stateNames: algorithm.stateNamesOf?.(hyperparameters) ?? stateNames,
        matrix,
        ...{ format, min8bitSize, seed, scale, byRows, table },
      };
      parameters.push(allocateParameter(entry, plan, runtime));
    }
    describe(parameters);
  } catch (error) {
    for (const parameter of parameters) releaseParameter(parameter);
    throw error;
  }
  return parameters;
}
