/**
 * Checks what a schema cannot express: every entry names environments, workloads, optimizers and
 * schedules that the result describes. Comparisons are listed before a run is narrowed down, so
 * they may name others.
 */
import type { Result } from './result';

interface Names {
  environment?: string;
  workload?: string;
  optimizer?: string;
  schedule?: string;
}

/**
 * The first name that leads nowhere, with where it stands, or null. A table would show such an
 * entry nowhere, or under a wrong heading.
 */
export function unknownReference(result: Result): string | null {
  const ids = (list: readonly { id: string }[]): Set<string> => new Set(list.map(({ id }) => id));
  const known = {
    environment: ids(result.environments),
    workload: ids(result.workloads),
    optimizer: ids(result.optimizers),
    schedule: ids(result.schedules),
  };
  const { training } = result;
  const lists: Record<string, readonly Names[]> = {
    '/micro': result.micro.map(({ environment }) => ({ environment })),
    '/training/runs': training.runs,
    '/training/searches': training.searches,
    '/training/selections': training.selections,
    '/training/speed': training.speed,
    '/hashes': result.hashes,
    '/coldStart': result.coldStart,
    '/threadScaling': result.threadScaling.map(({ environment }) => ({ environment })),
    '/streams': result.streams.map(({ environment }) => ({ environment })),
  };
  for (const [path, list] of Object.entries(lists)) {
    for (const [i, entry] of list.entries()) {
      for (const [kind, names] of Object.entries(known)) {
        const name = entry[kind as keyof Names];
        if (name !== undefined && !names.has(name))
          return `${path}/${i}: no ${kind} ${JSON.stringify(name)} in this result`;
      }
    }
  }
  return null;
}
