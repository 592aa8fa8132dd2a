/** The files of the page that runs the suite: its own, its data, and libraries to compare with. */
import type { DataSource } from '../data';
import { readWithin } from './files-within';
import { peerFile } from './peer-bundle';
import type { Places } from './processes';

/** Returns a function that reads a file by its name relative to the page. */
export function createSiteFiles(
  { peers, site }: Pick<Places, 'peers' | 'site'>,
  data: DataSource,
): (name: string) => Promise<string | Uint8Array> {
  return async (name) => {
    if (name.startsWith('data/')) return data.load(name.slice('data/'.length));
    if (name.startsWith('peers/')) return peerFile(peers, name.slice('peers/'.length));
    return readWithin(site, name);
  };
}
