/** The folder of this benchmark suite, wherever its modules were bundled to. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file that no other folder on the way up has. */
const LANDMARK = 'peers/package.json';

function findFolder(): URL {
  for (let folder = new URL('./', import.meta.url); ; folder = new URL('../', folder)) {
    if (existsSync(new URL(LANDMARK, folder))) return folder;
    if (folder.pathname === '/')
      throw new Error(`no folder above ${import.meta.url} has ${LANDMARK}`);
  }
}

/** Address of the folder, ending in a slash. */
export const BENCH_FOLDER: URL = findFolder();

/** Returns the path of a file of the suite. */
export const benchPath = (relative: string): string =>
  fileURLToPath(new URL(relative, BENCH_FOLDER));
