/** Does jobs for the page, where a thread may block: one message a job, entries and then `done` or `error` back. */
import { type DataSource, MissingDataError } from '../data';
import { Executor, type Job } from '../executor';

const data: DataSource = {
  async load(name) {
    const response = await fetch(new URL(`data/${name}`, self.location.href));
    if (!response.ok) throw new MissingDataError(name, 'the page’s server does not have it');
    return new Uint8Array(await response.arrayBuffer());
  },
};

const loadPeer = async (): Promise<never> => {
  throw new Error('other libraries are measured on Node, Deno and Bun: they are not part of the page');
};

const executor = new Executor({ data, loadPeer });

self.onmessage = async ({ data: job }: MessageEvent<Job>) => {
  try {
    await executor.execute(job, (entry) => self.postMessage({ entry }));
    self.postMessage({ done: true });
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};
