/** Reads data from files, on runtimes that have a file system. */
import { type DataSource, MissingDataError } from '../data';
import { readWithin } from './files-within';

/** Where Debian's package dataset-fashion-mnist puts it. */
const FASHION = '/usr/share/datasets/fashion-mnist/';

/** @param folder bench/data of a clone, as a URL ending in a slash */
export function createFileSource(folder: URL): DataSource {
  return {
    async load(name) {
      const fashion = name.startsWith('fashion-mnist/');
      try {
        return await (fashion
          ? readWithin(FASHION, name.slice('fashion-mnist/'.length))
          : readWithin(folder, name));
      } catch {
        const advice = fashion
          ? 'install Debian’s package dataset-fashion-mnist'
          : 'data are in a clone of the repository, not in the npm package';
        throw new MissingDataError(name, advice);
      }
    },
  };
}
