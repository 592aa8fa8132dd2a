/**
 * The parameters that an optimizer has registered: what was given for them, checked, and their
 * state in linear memory.
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
import { SparseRows } from './sparse-rows';
import {
  CompactTensor,
  codecOf,
  formatId,
  roundingSeed,
  STATE_FORMATS,
  type StateFormat,
  type StateTensor,
} from './state-formats';
import type { TableEntry, TableOptions } from './step-table';

/** A parameter of an optimizer, with its state. */
export interface RegisteredParameter extends TableEntry {
  readonly name: string;
  /** Whether the optimizer allocated the parameter, and so frees it. */
  readonly owned: boolean;
  /** Names of the first of its state arrays, as state dicts have them. */
  readonly stateNames: readonly string[];
  /** Buffers for the steps of a sparse parameter; null for others. */
  readonly rows: SparseRows | null;
}

/** A parameter that was checked, but belongs to no group yet. */
export interface CheckedInit {
  readonly name: string;
  readonly init: Parameter | ParameterSpec;
}

/** A parameter that was checked, but not allocated yet. */
export interface CheckedParameter extends CheckedInit {
  readonly group: number;
}

/** @throws ArgumentError unless `init` is a parameter, or makes one, in this runtime */
export function checkInit(
  name: string,
  init: unknown,
  runtime: Runtime,
): Parameter | ParameterSpec {
  if (!(init instanceof Parameter)) return checkParameterInit(`params.${name}`, init, runtime);
  if (init.disposed) throw new DisposedError(`parameter ${JSON.stringify(name)}`);
  if (init.value.runtime !== runtime) {
    const expected = "a parameter of this optimizer's runtime";
    throw new ArgumentError(`params.${name}`, expected, 'one of another');
  }
  return init;
}

/** The state that a parameter is to have. */
export interface StatePlan {
  /** State arrays; the first two may be compact. */
  readonly count: number;
  /** Names of the first of them. */
  readonly stateNames: readonly string[];
  /** Whether its update is orthogonalised as that of a matrix. */
  readonly matrix: boolean;
  readonly format: StateFormat;
  /** Elements from which 8-bit state is worth its overhead. */
  readonly min8bitSize: number;
  /** The optimizer's option `seed`. */
  readonly seed: number;
  /** Index of the scalar that the state is scaled by; -1 where it is not. */
  readonly scale: number;
  /** Whether the algorithm can update single rows. */
  readonly byRows: boolean;
  /** Options of the optimizer's step table, for the tables of rows. */
  readonly table: TableOptions;
}

/** Number of state arrays that may be compact: the two moments. */
const COMPACT_STATES = 2;

/**
 * Allocates a parameter, unless it is a model's own, and its state.
 * @throws ArgumentError, OutOfMemoryError; nothing stays allocated then
 */
export function allocateParameter(
  { name, group, init }: CheckedParameter,
  plan: StatePlan,
  runtime: Runtime,
): RegisteredParameter {
  const owned = !(init instanceof Parameter);
  const length = elementCount(owned ? init.shape : init.value.shape);
  const format = plan.format === '8bit' && length < plan.min8bitSize ? 'f32' : plan.format;
  if (init.sparse) checkSparse(name, format, plan);
  const parameter = owned ? new Parameter(runtime, init.shape, init.sparse) : init;
  const { shape } = parameter.value;
  const states: StateTensor[] = [];
  const seed = roundingSeed(plan.seed, name);
  const columns = plan.matrix ? length / shape[0] : 0;
  const { stateNames } = plan;
  const layout = { format: formatId(format), seed, columns };
  const entry = { name, group, parameter, states, stateNames, owned, ...layout };
  const registered: RegisteredParameter = { ...entry, rows: null };
  try {
    // Checked again: a getter that was read since may have resized or transferred the buffer.
    if (owned && init.data)
      parameter.value.data.set(checkFloats(`params.${name}`, init.data, runtime, length));
    for (let i = 0; i < plan.count; i++) {
      const compact = format !== 'f32' && i < COMPACT_STATES;
      states.push(
        compact ? new CompactTensor(runtime, format, length) : new Tensor(runtime, shape),
      );
    }
  } catch (error) {
    releaseParameter(registered);
    throw error;
  }
  if (!parameter.sparse) return registered;
  return { ...registered, rows: new SparseRows(runtime, registered, plan.table, plan.scale) };
}

function checkSparse(name: string, format: StateFormat, { byRows }: StatePlan): void {
  if (!byRows) {
    const expected = 'false with this optimizer, which averages whole tensors';
    throw new ArgumentError(`params.${name}.sparse`, expected, 'true');
  }
  if (format !== 'f32' && !codecOf(format).byRows) {
    const names = STATE_FORMATS.filter((one) => one === 'f32' || codecOf(one).byRows);
    const expected = `'${names.join("' or '")}' for the sparse parameter ${name}`;
    throw new ArgumentError('state', expected, `'${format}'`);
  }
}

/** Frees the state, and the parameter if the optimizer allocated it. */
export function releaseParameter({ owned, parameter, states, rows }: RegisteredParameter): void {
  rows?.dispose();
  if (owned) parameter.dispose();
  for (const state of states) state.dispose();
}
