/** Parses lists and numbers from a command line or an address, and refuses unknown names. */
import { ArgumentError } from 'adal-wasm';
import { OPTIMIZERS, WORKLOADS } from './registry';
import type { Filters } from './study/plan';

export interface TypedFilters {
  readonly workloads?: string | null;
  readonly optimizers?: string | null;
  readonly seeds?: string | null;
}

/** @throws ArgumentError for a name that is not in the registry, or seeds that are no count */
export function parseFilters({ workloads, optimizers, seeds }: TypedFilters): Filters {
  const known = WORKLOADS.flatMap(({ id, group }) => [id, group]);
  const rules = OPTIMIZERS.map(({ id }) => id);
  return {
    workloads: workloads == null ? undefined : parseNames('workloads', workloads, known),
    optimizers: optimizers == null ? undefined : parseNames('optimizers', optimizers, rules),
    seeds: seeds == null ? undefined : parseCount('seeds', seeds, 1000),
  };
}

export const parseList = (text: string): string[] => text.split(',').filter((name) => name !== '');

export function parseNames(name: string, text: string, allowed: readonly string[]): string[] {
  const names = parseList(text);
  const unknown = names.find((each) => !allowed.includes(each));
  if (unknown !== undefined || names.length === 0) {
    throw new ArgumentError(name, `some of ${[...new Set(allowed)].join(', ')}`, unknown ?? text);
  }
  return names;
}

export function parseCount(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw new ArgumentError(name, `an integer in [1, ${most}]`, text);
  return value;
}
