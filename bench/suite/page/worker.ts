/**
 * Executes jobs for the page in a worker, where a thread may block: one message per job, answered
 * by entries and then `done` or `error`.
 */
import { type DataSource, MissingDataError } from '../data';
import { Executor } from '../executor';
import type { Job } from '../job';
import type { PeerModule } from '../micro/contenders';

const data: DataSource = {
  async load(name) {
    const response = await fetch(new URL(`data/${name}`, self.location.href));
    if (!response.ok) throw new MissingDataError(name, 'the page’s server does not have it');
    return new Uint8Array(await response.arrayBuffer());
  },
};

/** A runner's server has them; a page that is merely served does not. */
const loadPeer = (file: string): Promise<PeerModule> =>
  import(/* @vite-ignore */ new URL(`peers/${file}`, self.location.href).href).catch((error) => {
    throw new Error(`the page’s server does not have this library: ${(error as Error).message}`);
  });

const executor = new Executor({ data, loadPeer });

self.onmessage = async ({ data: job }: MessageEvent<Job>) => {
  try {
    await executor.execute(job, (entry) => self.postMessage({ entry }));
    self.postMessage({ done: true });
  } catch (error) {
    self.postMessage({
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
};
