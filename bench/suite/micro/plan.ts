/** Lists what is timed in a tier, on every runtime. The machine must be idle otherwise. */
import type { Job } from '../job';
import { workloadOf } from '../registry';
import type { Cell } from '../study/plan';
import type { Tier } from '../types';
import type { StepJob } from './step';

export type TimedPart = 'micro' | 'speed' | 'threads';

export interface TimedTask {
  readonly part: TimedPart;
  readonly title: string;
  readonly seconds: number;
  readonly job: Job;
}

export const ROUNDS: Record<Tier, number> = { smoke: 2, standard: 11, full: 31 };
const SPEED_ROUNDS: Record<Tier, number> = { smoke: 1, standard: 5, full: 15 };
/** 1,000,003 is prime: no kernel likes it. */
export const SIZES: Record<Tier, readonly number[]> = {
  smoke: [1000],
  standard: [1000, 10_000, 100_000, 1_000_000, 1_000_003],
  full: [1000, 10_000, 100_000, 1_000_000, 10_000_000, 1_000_003],
};
const SECONDS_A_ROUND = 0.9;

export function planTimed(tier: Tier, cells: readonly Cell[]): TimedTask[] {
  const rounds = ROUNDS[tier];
  return [
    ...microTasks(tier, rounds, cells),
    ...threadTasks(tier, rounds),
    ...speedTasks(tier, cells),
  ];
}

function microTasks(tier: Tier, rounds: number, cells: readonly Cell[]): TimedTask[] {
  const blocks: StepJob[] = SIZES[tier].map((n) => ({
    n,
    layout: '1',
    gradients: 'normal',
    rounds,
  }));
  if (tier !== 'smoke') {
    blocks.push(
      { n: 10_000, layout: '100', gradients: 'normal', rounds },
      { n: 100_000, layout: '100', gradients: 'normal', rounds },
    );
    for (const gradients of ['zero', 'denormal'] as const)
      blocks.push({ n: 100_000, layout: '1', gradients, rounds });
  }
  const tasks: TimedTask[] = blocks.map((block) => {
    const title = `step, ${block.n} parameters, ${block.gradients} gradients`;
    return {
      part: 'micro',
      title,
      seconds: SECONDS_A_ROUND * rounds,
      job: { kind: 'step', ...block },
    };
  });
  const large = tier !== 'smoke';
  tasks.push({
    part: 'micro',
    title: 'kernels',
    seconds: 0.5 * rounds,
    job: { kind: 'kernels', rounds, large },
  });
  const edges = new Set(
    cells
      .map(({ workload }) => workload)
      .filter((id) => workloadOf(id).tiers[tier]?.searchSeeds === 0),
  );
  for (const workload of edges) {
    tasks.push({
      part: 'micro',
      title: `${workload}, a whole fit`,
      seconds: 0.2 * rounds,
      job: { kind: 'fit', workload, tier, rounds },
    });
  }
  return tasks;
}

function threadTasks(tier: Tier, rounds: number): TimedTask[] {
  const sizes = tier === 'smoke' ? [100_000] : [100_000, 1_000_000, 10_000_000];
  return sizes.map((n) => ({
    part: 'threads',
    title: `threads, ${n}`,
    seconds: 0.1 * rounds,
    job: { kind: 'threads', n, rounds },
  }));
}

function speedTasks(tier: Tier, cells: readonly Cell[]): TimedTask[] {
  return cells
    .filter(({ track }) => track === 'T0')
    .map(({ workload, optimizer }) => {
      const job = { kind: 'speed', workload, optimizer, rounds: SPEED_ROUNDS[tier] } as const;
      return { part: 'speed', title: `${workload} ${optimizer}, speed`, seconds: 0.3, job };
    });
}
