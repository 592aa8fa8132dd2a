/**
 * How parameters come to an optimizer: groups checked first, then all of their memory allocated, or
 * none.
 */
import type { Runtime } from '../runtime/runtime';
import { copyOptions, fail } from '../validate';
import { type BaseHyperparameters, type CompactStateOptions, checkFields } from './hyperparameters';
import {
  checkBoolean,
  createGroup,
  groupNames,
  type MatchedGroup,
  type ParameterRecord,
  type ParamGroup,
  type ParamGroupInit,
  type ParamsInit,
  splitByMatch,
} from './param-group';
import {
  allocateSlot,
  checkInit,
  type PendingSlot,
  releaseSlot,
  type Slot,
} from './registered-parameter';
import type { RuleDescription } from './rule';
import type { TableOptions } from './step-table';

/** Groups as they were given, and what errors call them. */
export interface GroupInits<H extends object> {
  readonly inits: readonly ParamGroupInit<H>[];
  readonly paths: readonly string[];
  /** What errors call the record of parameters in a group. */
  readonly inGroup: string;
}

/** What constructors take. */
export function listGroups<H extends object>(
  params: ParamsInit<H>,
  matched?: readonly MatchedGroup[],
): GroupInits<H> {
  if (matched !== undefined) return { ...splitByMatch<H>(params, matched), inGroup: '.params' };
  if (!Array.isArray(params)) {
    return {
      inits: [{ params: params as ParameterRecord } as ParamGroupInit<H>],
      paths: ['params'],
      inGroup: '',
    };
  }
  if (params.length === 0) fail('params', 'at least one param group', params);
  const paths = params.map((_, offset) => (params.length > 1 ? `params[${offset}]` : 'params'));
  return { inits: params as readonly ParamGroupInit<H>[], paths, inGroup: '.params' };
}

/** An optimizer's part in registration. */
export interface Registrar<H extends BaseHyperparameters> {
  readonly runtime: Runtime;
  readonly rule: RuleDescription<H>;
  readonly defaults: H;
  readonly seed: number;
  readonly table: TableOptions;
  /** Registered already. */
  readonly groups: readonly ParamGroup<H>[];
  readonly slots: readonly Slot[];
  /** What must hold between a group's hyperparameters. */
  checkTogether(values: H, where: string): void;
}

/** New groups, and the parameters that they are to have. @throws ArgumentError */
export function checkNewGroups<H extends BaseHyperparameters>(
  { runtime, rule, defaults, groups: known, slots, checkTogether }: Registrar<H>,
  { inits, paths, inGroup }: GroupInits<H>,
): { groups: ParamGroup<H>[]; pending: PendingSlot[] } {
  const { fields } = rule;
  const groups: ParamGroup<H>[] = [];
  const pending: PendingSlot[] = [];
  const taken = new Set(slots.map(({ name }) => name));
  for (const [offset, given] of inits.entries()) {
    const index = known.length + offset;
    const init = copyOptions(paths[offset], given, [
      'params',
      'match',
      'frozen',
      ...Object.keys(fields),
    ]);
    const names = groupNames(init, paths[offset], inGroup, taken);
    const where = inits.length > 1 ? ` (group ${index})` : '';
    const values = checkFields(fields, init as Partial<H>, defaults, where);
    checkTogether(values, where);
    const frozen = checkBoolean('frozen', init.frozen ?? false);
    groups.push(
      createGroup(index, names, values, frozen, fields, (changed) => checkTogether(changed, '')),
    );
    for (const name of names)
      pending.push({ name, group: index, init: checkInit(name, init.params[name], runtime) });
  }
  return { groups, pending };
}

/**
 * Allocates parameters and their state; then `describe` makes room for their descriptors.
 * @throws ArgumentError, OutOfMemoryError; nothing stays allocated then
 */
export function allocateSlots<H extends BaseHyperparameters>(
  { runtime, rule, seed, table, groups: known }: Registrar<H>,
  groups: readonly ParamGroup<H>[],
  pending: readonly PendingSlot[],
  describe: (slots: readonly Slot[]) => void,
): Slot[] {
  const { stateNames, derivedCount = 0, scaled = false, byRows = true } = rule;
  const slots: Slot[] = [];
  try {
    for (const entry of pending) {
      const values = groups[entry.group - known.length]
        .hyperparameters as Partial<CompactStateOptions>;
      const { state: format = 'f32', min8bitSize = 0 } = values;
      const plan = {
        count: stateNames.length + derivedCount,
        format,
        min8bitSize,
        seed,
        scaled,
        byRows,
        table,
      };
      slots.push(allocateSlot(entry, plan, runtime));
    }
    describe(slots);
  } catch (error) {
    for (const slot of slots) releaseSlot(slot);
    throw error;
  }
  return slots;
}
