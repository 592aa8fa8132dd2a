/** The runtimes that the suite knows. */
import { ArgumentError } from 'adal-wasm';
import { version as bundledVersion } from 'adal-wasm/package.json';
import { browserRunners } from './browsers';
import { type Places, processRunners } from './processes';
import type { Runner } from './runner';
import { workerdRunner } from './workerd';

export function createRunners(places: Places): Runner[] {
  const others = [workerdRunner(places), ...browserRunners(places)];
  const reason = whyNotBundled(places);
  if (reason === null) return [...processRunners(places), ...others];
  const refuse = (runner: Runner): Runner => ({
    ...runner,
    missing: () => `${runner.name}: ${reason}`,
  });
  return [...processRunners(places), ...others.map(refuse)];
}

/** Why browsers and workerd, which run bundles, cannot do what is asked for; null if they can. */
function whyNotBundled({ extensions, libraryVersion }: Places): string | null {
  if (extensions.length > 0) return 'modules of --with run on Node, Deno and Bun alone';
  return libraryVersion === bundledVersion
    ? null
    : `its bundle has adal-wasm ${bundledVersion}, but ${libraryVersion} is installed`;
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
