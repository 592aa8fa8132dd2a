/**
 * The types of result.schema.json. Files are validated against the schema, which documents every
 * field; tests compare the two.
 */

export type Status = 'ok' | 'unsupported' | 'failed';
export type OptionValue = number | string | boolean | null | readonly (number | string | boolean)[];
export type Options = Readonly<Record<string, OptionValue>>;
export type Track = 'T0' | 'T1';
export type FigureName =
  | 'trainLoss'
  | 'validationLoss'
  | 'validationMetric'
  | 'testLoss'
  | 'testMetric';
export type TrackedFigure = 'trainLoss' | 'validationLoss' | 'validationMetric';
/** Null: not measured, or not finite. */
export type Figures = Readonly<Record<FigureName, number | null>>;

/** Whether a thing could be measured; `reason` is null when it could. */
export interface Outcome {
  status: Status;
  reason: string | null;
}

export interface Environment {
  id: string;
  runtime: 'node' | 'deno' | 'bun' | 'workerd' | 'chromium' | 'firefox' | 'webkit' | 'browser';
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
  /** 0: the clock stands still while code runs. */
  timerTickMs: number;
  date: string;
  warnings: readonly string[];
}

export interface Reference {
  optimizer: string | null;
  options: Options;
  value: number;
  spread: number | null;
  seeds: number | null;
  kind: 'published' | 'measured';
  source: string;
}

export interface Metric {
  name: string;
  field: FigureName;
  direction: 'lower' | 'higher';
  scale: 'linear' | 'log';
  unit: string | null;
}

export interface Workload extends Outcome {
  id: string;
  group: string;
  version: number;
  title: string;
  ranked: boolean;
  metric: Metric;
  target: { field: TrackedFigure; value: number } | null;
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
  options: Options;
  stateBytesPerParameter: number;
  note: string | null;
}

export interface ListedComparison {
  a: string;
  b: string;
  workloads: readonly string[];
  schedule: string;
  track: Track;
  /** 'primary': each workload's own. */
  metric: string;
}

export interface Check {
  steps: number;
  bitwise: boolean;
  maxRelativeError: number | null;
  maxUlp: number | null;
  passed: boolean;
}

export interface Micro extends Outcome {
  environment: string;
  benchmark: string;
  implementation: string;
  native: boolean;
  threads: number;
  n: number;
  shape: readonly number[] | null;
  layout: '1' | '100' | 'matrix';
  gradients: 'normal' | 'zero' | 'denormal' | 'none';
  variant: 'resident' | 'copies';
  unit: 'ns/call';
  workPerCall: number;
  bytesPerCall: number | null;
  samples: readonly number[];
  check: Check | null;
  stable: boolean;
}

/** Null: there is no such figure. */
export interface Curve {
  steps: readonly number[];
  trainLoss: readonly (number | null)[] | null;
  validationLoss: readonly (number | null)[] | null;
  validationMetric: readonly (number | null)[] | null;
}

export interface Run extends Outcome {
  environment: string;
  workload: string;
  workloadVersion: number;
  optimizer: string;
  options: Options;
  schedule: string;
  track: Track;
  lr: number;
  seed: number;
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

export interface Search {
  workload: string;
  workloadVersion: number;
  optimizer: string;
  schedule: string;
  lr: number;
  scores: readonly (number | null)[];
}

export interface Selection {
  workload: string;
  optimizer: string;
  schedule: string;
  lr: number | null;
  grid: readonly number[];
  scores: readonly (number | null)[];
  extended: number;
  edge: boolean;
  field: TrackedFigure;
}

export interface Speed extends Outcome {
  environment: string;
  workload: string;
  optimizer: string;
  secondsPerStep: readonly number[];
  stepsPerSample: number;
  stable: boolean;
}

export interface HashEntry extends Outcome {
  environment: string;
  workload: string;
  optimizer: string;
  steps: number;
  hash: string | null;
}

export interface ColdStart extends Outcome {
  environment: string;
  backend: string;
  importMs: readonly number[];
  createMs: readonly number[];
  firstStepMs: readonly number[];
}

export interface ThreadScaling extends Outcome {
  environment: string;
  optimizer: string;
  n: number;
  threads: number;
  samples: readonly number[];
  stable: boolean;
}

export interface Stream {
  environment: string;
  id: string;
  title: string;
  optimizer: string;
  options: Options;
  seed: number;
  figure: 'average-regret' | 'regret-over-root' | 'iterate';
  steps: readonly number[];
  values: readonly (number | null)[];
  expected: { low: number | null; high: number | null; optimum: number | null };
}

export interface Result {
  schemaVersion: 2;
  suiteVersion: number;
  package: { name: string; version: string; commit: string | null };
  commands: readonly string[];
  tier: 'smoke' | 'standard' | 'full';
  shard: { index: number; count: number };
  date: string;
  complete: boolean;
  environments: readonly Environment[];
  workloads: readonly Workload[];
  optimizers: readonly OptimizerEntry[];
  schedules: readonly { id: string; label: string }[];
  comparisons: readonly ListedComparison[];
  micro: readonly Micro[];
  training: {
    runs: readonly Run[];
    searches: readonly Search[];
    selections: readonly Selection[];
    speed: readonly Speed[];
  };
  hashes: readonly HashEntry[];
  coldStart: readonly ColdStart[];
  threadScaling: readonly ThreadScaling[];
  streams: readonly Stream[];
}
