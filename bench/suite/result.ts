/** The types of a result, as bench/schema/result.schema.json has them, and what makes two entries the same one. */
import type { FigureName, Figures, Metric, Reference, ScheduleId, Tier, Track } from './types';

export const SCHEMA_VERSION = 1;

export type Status = 'ok' | 'unsupported' | 'failed';
export type PlainOptions = Record<string, number | string | boolean | null | readonly (number | string | boolean)[]>;

export interface EnvironmentEntry {
  id: string;
  runtime: string;
  version: string;
  engine: string;
  os: string;
  arch: string;
  cpu: string | null;
  cores: number;
  memoryBytes: number | null;
  isolated: boolean | null;
  backend: string;
  threads: number;
  threadsReason: string | null;
  timerTickMs: number;
  date: string;
  warnings: string[];
}

export interface WorkloadEntry {
  id: string;
  group: string;
  version: number;
  title: string;
  status: Status;
  reason: string | null;
  ranked: boolean;
  metric: Metric;
  target: { field: FigureName; value: number } | null;
  epochs: number;
  steps: number;
  batchSize: number | null;
  parameters: number;
  samples: { train: number; validation: number; test: number };
  attribution: string | null;
  references: readonly Reference[];
}

export interface OptimizerEntry {
  id: string;
  label: string;
  family: string;
  ablation: string | null;
  options: PlainOptions;
  stateBytesPerParameter: number;
  note: string | null;
}

export interface Curve {
  steps: number[];
  trainLoss: (number | null)[];
  validationLoss: (number | null)[];
  validationMetric: (number | null)[];
}

export interface RunEntry {
  environment: string;
  workload: string;
  workloadVersion: number;
  optimizer: string;
  options: PlainOptions;
  schedule: ScheduleId;
  track: Track;
  phase: 'search' | 'final';
  lr: number;
  seed: number;
  status: Status;
  reason: string | null;
  diverged: boolean;
  divergedStep: number | null;
  steps: number;
  final: Figures;
  best: { step: number | null; figures: Figures };
  stepsToTarget: number | null;
  secondsPerStep: number | null;
  curve: Curve | null;
  hash: string | null;
}

export interface SelectionEntry {
  workload: string;
  optimizer: string;
  schedule: ScheduleId;
  lr: number | null;
  grid: number[];
  scores: (number | null)[];
  extended: number;
  edge: boolean;
  field: string;
}

export interface SpeedEntry {
  environment: string;
  workload: string;
  optimizer: string;
  status: Status;
  reason: string | null;
  secondsPerStep: number[];
  stepsPerSample: number;
  stable: boolean;
}

export interface HashEntry {
  environment: string;
  workload: string;
  optimizer: string;
  steps: number;
  hash: string | null;
  status: Status;
  reason: string | null;
}

export interface MicroEntry {
  environment: string;
  benchmark: string;
  implementation: string;
  native: boolean;
  threads: number;
  n: number;
  shape: number[] | null;
  layout: '1' | '100' | 'matrix';
  gradients: 'normal' | 'zero' | 'denormal' | 'none';
  variant: 'resident' | 'copies';
  status: Status;
  reason: string | null;
  unit: 'ns/call';
  workPerCall: number;
  bytesPerCall: number | null;
  samples: number[];
  check: { steps: number; bitwise: boolean; maxRelativeError: number | null; maxUlp: number | null; passed: boolean } | null;
  stable: boolean;
}

export interface ColdStartEntry {
  environment: string;
  backend: string;
  status: Status;
  reason: string | null;
  importMs: number[];
  createMs: number[];
  firstStepMs: number[];
}

export interface ThreadScalingEntry {
  environment: string;
  optimizer: string;
  n: number;
  threads: number;
  status: Status;
  reason: string | null;
  samples: number[];
  stable: boolean;
}

export interface StreamEntry {
  environment: string;
  id: string;
  title: string;
  optimizer: string;
  options: PlainOptions;
  seed: number;
  figure: 'average-regret' | 'regret-over-root' | 'iterate';
  steps: number[];
  values: (number | null)[];
  expected: { low: number | null; high: number | null; optimum: number | null };
}

export interface Result {
  schemaVersion: number;
  suiteVersion: number;
  package: { name: string; version: string; commit: string | null };
  command: string;
  tier: Tier;
  shard: { index: number; count: number };
  date: string;
  complete: boolean;
  environments: EnvironmentEntry[];
  workloads: WorkloadEntry[];
  optimizers: OptimizerEntry[];
  schedules: { id: string; label: string }[];
  comparisons: unknown[];
  micro: MicroEntry[];
  training: { runs: RunEntry[]; selections: SelectionEntry[]; speed: SpeedEntry[] };
  hashes: HashEntry[];
  coldStart: ColdStartEntry[];
  threadScaling: ThreadScalingEntry[];
  streams: StreamEntry[];
}

/** One thing measured, as jobs report it. */
export type Entry =
  | { type: 'environment'; value: EnvironmentEntry }
  | { type: 'workload'; value: WorkloadEntry }
  | { type: 'optimizer'; value: OptimizerEntry }
  | { type: 'run'; value: RunEntry }
  | { type: 'selection'; value: SelectionEntry }
  | { type: 'speed'; value: SpeedEntry }
  | { type: 'hash'; value: HashEntry }
  | { type: 'micro'; value: MicroEntry }
  | { type: 'coldStart'; value: ColdStartEntry }
  | { type: 'threadScaling'; value: ThreadScalingEntry }
  | { type: 'stream'; value: StreamEntry };

export type EntryType = Entry['type'];

/** For each list of a result: where it is, and the fields that make an entry the same one. */
export const LISTS: {
  readonly [T in EntryType]: { readonly of: (result: Result) => object[]; readonly key: readonly string[] };
} = {
  environment: { of: (result) => result.environments, key: ['id'] },
  workload: { of: (result) => result.workloads, key: ['id'] },
  optimizer: { of: (result) => result.optimizers, key: ['id'] },
  // Trained with the same bits everywhere: the environment is not part of what a run is.
  run: {
    of: (result) => result.training.runs,
    key: ['workload', 'workloadVersion', 'optimizer', 'schedule', 'track', 'phase', 'lr', 'seed'],
  },
  selection: { of: (result) => result.training.selections, key: ['workload', 'optimizer', 'schedule'] },
  speed: { of: (result) => result.training.speed, key: ['environment', 'workload', 'optimizer'] },
  hash: { of: (result) => result.hashes, key: ['environment', 'workload', 'optimizer', 'steps'] },
  micro: {
    of: (result) => result.micro,
    key: ['environment', 'benchmark', 'implementation', 'threads', 'n', 'shape', 'layout', 'gradients', 'variant'],
  },
  coldStart: { of: (result) => result.coldStart, key: ['environment', 'backend'] },
  threadScaling: { of: (result) => result.threadScaling, key: ['environment', 'optimizer', 'n', 'threads'] },
  stream: { of: (result) => result.streams, key: ['environment', 'id', 'optimizer', 'seed', 'options'] },
};

export function keyOf(type: EntryType, value: object): string {
  const fields = value as Record<string, unknown>;
  return JSON.stringify([type, ...LISTS[type].key.map((name) => fields[name])]);
}

/** A float64 in few characters, and null for what is not finite. */
export function compact(value: number | null, digits = 7): number | null {
  return value !== null && Number.isFinite(value) ? Number(value.toPrecision(digits)) : null;
}
