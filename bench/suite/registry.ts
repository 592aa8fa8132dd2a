/**
 * All that the suite knows by name. To add a workload, write a file in workloads/ and list it here;
 * to add an optimizer, an entry in optimizers.ts. Ids are for good: results name them.
 */
import { ArgumentError } from 'adal-wasm';
import { OPTIMIZERS } from './optimizers';
import type { OptimizerConfig, ScheduleId, Track, Workload } from './types';
import { digits } from './workloads/digits';
import { edges } from './workloads/edge';
import { fashionCnn, fashionDeepObs, fashionMlp, fashionSmall } from './workloads/fashion';
import { functions } from './workloads/functions';
import { quadraticDeep } from './workloads/quadratic-deep';
import { tables } from './workloads/tables';
import { text, textSmall } from './workloads/text';

export { OPTIMIZERS };

/**
 * Raised when protocol or schedules of work change: results of different suites are never merged.
 */
export const SUITE_VERSION = 2;

export const WORKLOADS: readonly Workload[] = [
  ...functions,
  quadraticDeep,
  ...tables,
  digits,
  fashionSmall,
  fashionMlp,
  fashionCnn,
  fashionDeepObs,
  textSmall,
  text,
  ...edges,
];

export function optimizerOf(id: string): OptimizerConfig {
  return find('optimizer', OPTIMIZERS, id);
}

export function workloadOf(id: string): Workload {
  return find('workload', WORKLOADS, id);
}

function find<T extends { readonly id: string }>(what: string, list: readonly T[], id: string): T {
  const found = list.find((each) => each.id === id);
  if (!found) throw new ArgumentError(what, `one of ${list.map((each) => each.id).join(', ')}`, id);
  return found;
}

export interface Comparison {
  readonly a: string;
  readonly b: string;
  readonly workloads: readonly string[];
  readonly schedule: ScheduleId;
  readonly track: Track;
  readonly metric: string;
}

/**
 * Listed before anything runs: AdaL against Adam and against SGD with momentum, each by the primary
 * metric.
 */
export const COMPARISONS: readonly Comparison[] = (
  [
    ['adal', 'adam', 'inverse-sqrt'],
    ['adal', 'sgd-momentum', 'inverse-sqrt'],
    ['adal', 'adam', 'constant'],
    ['adal', 'sgd-momentum', 'constant'],
    ['adal-practical', 'adam-b95', 'cosine'],
    ['adal-practical', 'sgd-momentum', 'cosine'],
  ] as const
).map(([a, b, schedule]) => {
  const workloads = WORKLOADS.filter(({ ranked }) => ranked).map(({ id }) => id);
  return { a, b, workloads, schedule, track: 'T1', metric: 'primary' };
});
