/** Where the package's files are, and those of the library that it measures. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Places } from '../suite/runners/processes';

/** The folder of the built package that this file ends up in. */
const DIST = new URL('./', import.meta.url);
/** The repository's root when the package stands in a checkout, else a folder of packages. */
const ABOVE = new URL('../../', DIST);

/** The installed library's folder, as a URL ending in a slash. */
export function libraryFolder(): URL {
  const { resolve } = createRequire(import.meta.url);
  return new URL('./', pathToFileURL(resolve('adal-wasm/package.json')));
}

/** The version of the installed library. */
export function libraryVersion(): string {
  return JSON.parse(readFileSync(new URL('package.json', libraryFolder()), 'utf8')).version;
}

/** @param extensions modules of `--with`, as file: URLs */
export function findPlaces(extensions: readonly string[] = []): Places {
  const ownRuntimes = new URL('tests/runtimes/node_modules/', ABOVE);
  return {
    child: new URL('child.js', DIST),
    cold: new URL('cold.js', DIST),
    data: new URL('site/data/', DIST),
    peers: new URL('../peers/dist/', DIST),
    site: new URL('site/', DIST),
    browsers: new URL('tests/runtimes/browsers.js', ABOVE),
    runtimes: existsSync(ownRuntimes) ? ownRuntimes : ABOVE,
    extensions,
    libraryVersion: libraryVersion(),
  };
}
