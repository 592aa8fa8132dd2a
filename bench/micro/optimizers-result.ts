/** The result of bench:optimizers, and the README's table that is made of it. */
import { markdownTable } from '../toolkit/markdown-table';
import type { SingleEnvironment } from '../toolkit/single-result';
import { median } from '../toolkit/statistics';

/** Where the parameters lie: in a cache, or in memory (10 million of them). */
export type Place = 'in cache' | 'at 1e7';

export interface OptimizerRow {
  /** Name of the optimizer, and what differs from its defaults. */
  readonly label: string;
  /** Bytes of state per parameter. */
  readonly stateBytes: Readonly<Record<Place, number>>;
  /** Nanoseconds per parameter, by round. */
  readonly times: Readonly<Record<Place, readonly number[]>>;
}

export interface OptimizersResult {
  readonly environment: SingleEnvironment;
  readonly rounds: number;
  readonly optimizers: readonly OptimizerRow[];
  /** Nanoseconds per call of a dense step and of a step of some rows, by round. */
  readonly rows: { readonly dense: readonly number[]; readonly rows: readonly number[] };
}

/**
 * Returns the bytes per parameter that a step moves: gradients twice (norm, update), weights and
 * state read and written.
 */
export const bytesPerStep = ({ stateBytes }: OptimizerRow): number => 16 + 2 * stateBytes['at 1e7'];

/** All optimizers of a family lose the same by compact state: two of them are shown. */
const COMPACT_SHOWN = /^(adal|adam) (bf16|8bit)$/;

const short = (text: string): string => String(Number(text));

function rowOf(row: OptimizerRow): string[] {
  const { stateBytes, times } = row;
  const [name, ...rest] = row.label.split(' ');
  const bytes = bytesPerStep(row);
  const [near, far] = [median(times['in cache']), median(times['at 1e7'])];
  return [
    [`\`${name}\``, ...rest].join(', '),
    short(stateBytes['at 1e7'].toFixed(2)),
    short((bytes / 4).toFixed(1)),
    near.toFixed(2),
    far.toFixed(2),
    (bytes / far).toFixed(0),
  ];
}

/** Returns the README's section of optimizers. */
export function optimizersSection({ environment, rounds, optimizers }: OptimizersResult): string {
  const shown = optimizers.filter(
    ({ label }) => !/ (bf16|8bit)$/.test(label) || COMPACT_SHOWN.test(label),
  );
  const table = markdownTable(
    [
      ['optimizer', 'left'],
      ['bytes of state per parameter', 'right'],
      ['passes over a float32 array', 'right'],
      ['ns per parameter in cache', 'right'],
      ['at 1e7', 'right'],
      ['GB/s', 'right'],
    ],
    shown.map(rowOf),
  );
  const { runtime, cpu, date } = environment;
  const note = [
    `${runtime}, ${cpu}, one thread, ${date}; medians of ${rounds} interleaved rounds.`,
    'Gradients are read twice: the first pass decides whether the step is accepted.',
  ];
  return `${table}\n\n${note.join(' ')}`;
}
