/** The runtimes that the suite knows. */
import { ArgumentError } from 'adal-wasm';
import { browserRunners } from './browsers';
import { type Places, processRunners } from './processes';
import type { Runner } from './runner';
import { workerdRunner } from './workerd';

export function createRunners(places: Places): Runner[] {
  return [...processRunners(places), workerdRunner(places), ...browserRunners(places)];
}

/** @throws ArgumentError for a name that none of them has */
export function runnersNamed(names: readonly string[], places: Places): Runner[] {
  const runners = createRunners(places);
  return names.map((name) => {
    const found = runners.find((runner) => runner.name === name);
    if (!found)
      throw new ArgumentError(
        'runtimes',
        `some of ${runners.map((runner) => runner.name).join(', ')}`,
        name,
      );
    return found;
  });
}
