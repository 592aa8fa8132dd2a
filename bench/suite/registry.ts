/**
 * All optimizers, workloads and comparisons by id. To add a workload, write a file in workloads/
 * and list it here; to add an optimizer, add an entry to optimizers.ts. Ids never change, because
 * results name them.
 */
import { ArgumentError } from 'adal-wasm';
import type { Extensions } from './extensions';
import { LIBRARY_OPTIMIZERS } from './optimizers';
import type { OptimizerConfig, ScheduleId, Track, Workload } from './types';
import { digits } from './workloads/digits';
import { edges } from './workloads/edge';
import { fashionCnn, fashionDeepObs, fashionMlp, fashionSmall } from './workloads/fashion';
import { functions } from './workloads/functions';
import { quadraticDeep } from './workloads/quadratic-deep';
import { tables } from './workloads/tables';
import { text, textSmall } from './workloads/text';

/**
 * Raised when protocol or schedules of work change: results of different suites are never merged.
 */
export const SUITE_VERSION = 2;

const optimizers: OptimizerConfig[] = [...LIBRARY_OPTIMIZERS];
/** All optimizers, those of one's own at the end. */
export const OPTIMIZERS: readonly OptimizerConfig[] = optimizers;

const workloads: Workload[] = [
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
/** All workloads, those of one's own at the end. */
export const WORKLOADS: readonly Workload[] = workloads;

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
const comparisons: Comparison[] = (
  [
    ['adal', 'adam', 'inverse-sqrt'],
    ['adal', 'sgd-momentum', 'inverse-sqrt'],
    ['adal', 'adam', 'constant'],
    ['adal', 'sgd-momentum', 'constant'],
    ['adal-practical', 'adam-b95', 'cosine'],
    ['adal-practical', 'sgd-momentum', 'cosine'],
  ] as const
).map(([a, b, schedule]) => compare(a, b, schedule));
export const COMPARISONS: readonly Comparison[] = comparisons;

function compare(a: string, b: string, schedule: ScheduleId): Comparison {
  const ranked = WORKLOADS.filter((workload) => workload.ranked).map(({ id }) => id);
  return { a, b, workloads: ranked, schedule, track: 'T1', metric: 'primary' };
}

/**
 * Adds optimizers and workloads of one's own. Each optimizer is compared with Adam and with SGD
 * with momentum, under each of its schedules.
 * @throws ArgumentError for an id that is taken
 */
export function register(extensions: Extensions): void {
  for (const workload of extensions.workloads) add(workloads, workload);
  for (const optimizer of extensions.optimizers) {
    add(optimizers, optimizer);
    for (const schedule of optimizer.schedules)
      for (const other of ['adam', 'sgd-momentum'])
        comparisons.push(compare(optimizer.id, other, schedule));
  }
}

function add<T extends { readonly id: string }>(list: T[], entry: T): void {
  if (list.some(({ id }) => id === entry.id))
    throw new ArgumentError('with', 'ids that the suite does not have yet', `"${entry.id}"`);
  list.push(entry);
}
