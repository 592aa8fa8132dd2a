/** Data from files, for runtimes that have them. */
import { type DataSource, MissingDataError } from '../data';

/** Where Debian's package dataset-fashion-mnist puts it. */
const FASHION = '/usr/share/datasets/fashion-mnist/';

/** @param folder bench/data of a clone, as a URL ending in a slash */
export function createFileSource(folder: URL): DataSource {
  return {
    async load(name) {
      const { readFile } = await import('node:fs/promises');
      const fashion = name.startsWith('fashion-mnist/');
      const place = fashion ? FASHION + name.slice('fashion-mnist/'.length) : new URL(name, folder);
      try {
        return await readFile(place);
      } catch {
        const advice = fashion
          ? 'install Debian’s package dataset-fashion-mnist'
          : 'data are in a clone of the repository, not in the npm package';
        throw new MissingDataError(name, advice);
      }
    },
  };
}
