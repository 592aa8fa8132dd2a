/**
 * The entries of a result, and the fields that identify each kind of entry. The types of the schema
 * are in bench/schema.
 */
import type {
  ColdStart,
  Environment,
  HashEntry,
  Micro,
  OptimizerEntry,
  Result,
  Run,
  Search,
  Selection,
  Speed,
  Stream,
  ThreadScaling,
  Workload,
} from '../schema/result';

export const SCHEMA_VERSION = 2;

/** One thing measured, as jobs report it. */
export type Entry =
  | { type: 'environment'; value: Environment }
  | { type: 'workload'; value: Workload }
  | { type: 'optimizer'; value: OptimizerEntry }
  | { type: 'run'; value: Run }
  | { type: 'search'; value: Search }
  | { type: 'selection'; value: Selection }
  | { type: 'speed'; value: Speed }
  | { type: 'hash'; value: HashEntry }
  | { type: 'micro'; value: Micro }
  | { type: 'coldStart'; value: ColdStart }
  | { type: 'threadScaling'; value: ThreadScaling }
  | { type: 'stream'; value: Stream };

export type EntryType = Entry['type'];

/** For each list of a result: where it is, and the fields that make an entry the same one. */
export const LISTS: {
  readonly [T in EntryType]: {
    readonly of: (result: Result) => readonly object[];
    readonly key: readonly string[];
  };
} = {
  environment: { of: (result) => result.environments, key: ['id'] },
  workload: { of: (result) => result.workloads, key: ['id'] },
  optimizer: { of: (result) => result.optimizers, key: ['id'] },
  // Trained with the same bits everywhere: the environment is not part of what a run is.
  run: {
    of: (result) => result.training.runs,
    key: ['workload', 'workloadVersion', 'optimizer', 'schedule', 'track', 'lr', 'seed'],
  },
  search: {
    of: (result) => result.training.searches,
    key: ['workload', 'workloadVersion', 'optimizer', 'schedule', 'lr'],
  },
  selection: {
    of: (result) => result.training.selections,
    key: ['workload', 'optimizer', 'schedule'],
  },
  speed: { of: (result) => result.training.speed, key: ['environment', 'workload', 'optimizer'] },
  hash: { of: (result) => result.hashes, key: ['environment', 'workload', 'optimizer', 'steps'] },
  micro: {
    of: (result) => result.micro,
    key: [
      'environment',
      'benchmark',
      'implementation',
      'threads',
      'n',
      'shape',
      'layout',
      'gradients',
      'variant',
    ],
  },
  coldStart: { of: (result) => result.coldStart, key: ['environment', 'backend'] },
  threadScaling: {
    of: (result) => result.threadScaling,
    key: ['environment', 'optimizer', 'n', 'threads'],
  },
  stream: {
    of: (result) => result.streams,
    key: ['environment', 'id', 'optimizer', 'seed', 'options'],
  },
};

export function keyOf(type: EntryType, value: object): string {
  const fields = value as Record<string, unknown>;
  return JSON.stringify([type, ...LISTS[type].key.map((name) => fields[name])]);
}

export function byKey<T extends object>(type: EntryType, entries: readonly T[]): Map<string, T> {
  return new Map(entries.map((entry) => [keyOf(type, entry), entry]));
}

/** A float64 in few characters, and null for what is not finite. */
export function compact(value: number | null, digits = 7): number | null {
  return value !== null && Number.isFinite(value) ? Number(value.toPrecision(digits)) : null;
}
