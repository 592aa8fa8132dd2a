/**
 * Plans a study: one cell for each workload, optimizer, schedule and track. A process or a shard
 * gets whole cells, and the same settings give the same cells in the same order everywhere.
 */
import { OPTIMIZERS, WORKLOADS } from '../registry';
import type { Extent, OptimizerConfig, ScheduleId, Tier, Track, Workload } from '../types';

export interface Filters {
  /** Ids or groups. */
  readonly workloads?: readonly string[];
  /** Ids. */
  readonly optimizers?: readonly string[];
  /** Final seeds, instead of the tier's. */
  readonly seeds?: number;
}

export interface Cell {
  readonly workload: string;
  readonly optimizer: string;
  readonly schedule: ScheduleId;
  readonly track: Track;
  readonly tier: Tier;
  readonly searchSeeds: number;
  readonly finalSeeds: number;
  /** Arithmetic to be expected, in arbitrary units: of progress alone. */
  readonly weight: number;
}

/** Search runs have seeds of their own, so that final ones are fresh. */
export const FIRST_SEARCH_SEED = 1000;
const GRID = 9;

export function planStudy(tier: Tier, filters: Filters = {}): Cell[] {
  const cells: Cell[] = [];
  for (const workload of WORKLOADS) {
    const extent = workload.tiers[tier];
    if (!extent || (filters.workloads && !isNamed(workload, filters.workloads))) continue;
    for (const optimizer of OPTIMIZERS) {
      if (isCompared(optimizer, extent, filters))
        cells.push(...cellsOf(workload, optimizer, extent, tier, filters.seeds));
    }
  }
  return cells;
}

const isNamed = ({ id, group }: Workload, names: readonly string[]): boolean =>
  names.includes(id) || names.includes(group);

function isCompared(
  { id, ablation, create }: OptimizerConfig,
  { optimizers, ablations = false, searchSeeds }: Extent,
  filters: Filters,
): boolean {
  if (filters.optimizers && !filters.optimizers.includes(id)) return false;
  // Workloads without a search are timings of one optimizer each.
  if (optimizers) return optimizers.includes(id) || (create !== undefined && searchSeeds > 0);
  return !ablation || ablations;
}

function cellsOf(
  workload: Workload,
  optimizer: OptimizerConfig,
  extent: Extent,
  tier: Tier,
  seeds?: number,
): Cell[] {
  const { searchSeeds } = extent;
  const finalSeeds = seeds ?? extent.finalSeeds;
  const steps = extent.epochs * Math.ceil(workload.samples.train / (workload.batchSize ?? 1) || 10);
  const cost = steps * (1 + workload.parameters * (workload.batchSize ?? 1) * 1e-5);
  const cell = (schedule: ScheduleId, track: Track, runs: number): Cell => {
    return {
      workload: workload.id,
      optimizer: optimizer.id,
      schedule,
      track,
      tier,
      searchSeeds,
      finalSeeds,
      weight: cost * runs,
    };
  };
  const cells = optimizer.ablation ? [] : [cell(optimizer.schedule, 'T0', finalSeeds)];
  if (searchSeeds === 0) return cells;
  for (const schedule of optimizer.schedules) {
    // A rule that comes with one schedule alone is compared under that.
    if (extent.schedules && !extent.schedules.includes(schedule) && optimizer.schedules.length > 1)
      continue;
    cells.push(cell(schedule, 'T1', GRID * searchSeeds + finalSeeds));
  }
  return cells;
}

/** The cells of one shard of several: every count-th. */
export function shardOf<T>(
  cells: readonly T[],
  { index, count }: { index: number; count: number },
): T[] {
  return cells.filter((_, position) => position % count === index - 1);
}
