/**
 * The registered parameters of an optimizer: what was given for them, checked, and their state in
 * linear memory.
 */
import { ArgumentError, DisposedError } from '../errors';
import { elementCount } from '../math/shape';
import type { Runtime } from '../runtime/runtime';
import {
  checkFloats,
  checkParameterInit,
  Parameter,
  type ParameterSpec,
} from '../tensors/parameter';
import { Tensor } from '../tensors/tensor';
import { fail } from '../validate';
import {
  CompactTensor,
  FORMATS,
  roundingSeed,
  type StateFormat,
  type StateTensor,
} from './compact-tensor';
import { SparseRows } from './sparse-rows';
import type { TableEntry, TableOptions } from './step-table';

/** A registered parameter. */
export interface Slot extends TableEntry {
  readonly name: string;
  /** Whether the optimizer allocated it, and so frees it. */
  readonly owned: boolean;
  /** What steps of a sparse parameter work with; null for others. */
  readonly rows: SparseRows | null;
}

/** A parameter that is checked, but not yet allocated. */
export interface PendingSlot {
  readonly name: string;
  readonly group: number;
  readonly init: Parameter | ParameterSpec;
}

/** The names in a record of parameters; adds them to `taken`. */
export function checkNames(params: unknown, where: string, taken: Set<string>): string[] {
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

export function checkInit(
  name: string,
  init: unknown,
  runtime: Runtime,
): Parameter | ParameterSpec {
  if (!(init instanceof Parameter)) return checkParameterInit(`params.${name}`, init, runtime);
  if (init.disposed) throw new DisposedError(`parameter ${JSON.stringify(name)}`);
  if (init.value.runtime !== runtime) {
    throw new ArgumentError(
      `params.${name}`,
      "a parameter of this optimizer's runtime",
      'one of another',
    );
  }
  return init;
}

/** What state a parameter is to have. */
export interface StatePlan {
  /** State arrays; the first two may be compact. */
  readonly count: number;
  readonly format: StateFormat;
  /** Elements from which 8-bit state is worth it. */
  readonly min8bitSize: number;
  /** Of the optimizer. */
  readonly seed: number;
  /** Whether the state is scaled by a power of two. */
  readonly scaled: boolean;
  /** Whether the rule can update rows alone. */
  readonly byRows: boolean;
  /** Of the optimizer's steps. */
  readonly table: TableOptions;
}

/** Moments: what compact formats are for. */
const COMPACT_STATES = 2;

/**
 * Allocates a parameter, unless it is a model's own, and its state. On failure nothing stays
 * allocated.
 */
export function allocateSlot(
  { name, group, init }: PendingSlot,
  plan: StatePlan,
  runtime: Runtime,
): Slot {
  const owned = !(init instanceof Parameter);
  const length = elementCount(owned ? init.shape : init.value.shape);
  const format = plan.format === '8bit' && length < plan.min8bitSize ? 'f32' : plan.format;
  if (init.sparse) checkSparse(name, format, plan);
  const parameter = owned ? new Parameter(runtime, init.shape, init.sparse) : init;
  const { shape } = parameter.value;
  const states: StateTensor[] = [];
  const entry = {
    name,
    group,
    parameter,
    states,
    owned,
    format: FORMATS[format],
    seed: roundingSeed(plan.seed, name),
  };
  const slot: Slot = { ...entry, rows: null };
  try {
    // Once more: a getter that was read after them may have resized or transferred their buffer.
    if (owned && init.data)
      parameter.value.data.set(checkFloats(`params.${name}`, init.data, runtime, length));
    for (let i = 0; i < plan.count; i++) {
      const compact = format !== 'f32' && i < COMPACT_STATES;
      states.push(
        compact ? new CompactTensor(runtime, format, length) : new Tensor(runtime, shape),
      );
    }
  } catch (error) {
    releaseSlot(slot);
    throw error;
  }
  return parameter.sparse
    ? { ...slot, rows: new SparseRows(runtime, slot, plan.table, plan.scaled) }
    : slot;
}

function checkSparse(name: string, format: StateFormat, { byRows }: StatePlan): void {
  if (!byRows)
    throw new ArgumentError(
      `params.${name}.sparse`,
      'false with this optimizer, which averages whole tensors',
      'true',
    );
  if (format === '8bit')
    throw new ArgumentError('state', `'f32' or 'bf16' for the sparse parameter ${name}`, "'8bit'");
}

export function releaseSlot({ owned, parameter, states, rows }: Slot): void {
  rows?.dispose();
  if (owned) parameter.dispose();
  for (const state of states) state.dispose();
}
