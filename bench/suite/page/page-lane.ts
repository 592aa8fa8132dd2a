/** Runs jobs in a worker of the page. */
import type { Job, Report } from '../job';
import type { Entry } from '../result';
import type { Lane } from '../runners/runner';

export class PageLane implements Lane {
  readonly #worker = new Worker(new URL('page-worker.js', document.baseURI), { type: 'module' });

  execute(job: Job, report: Report): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<{ entry?: Entry; error?: string }>) => {
        if (data.entry) report(data.entry);
        else if (data.error) reject(new Error(data.error));
        else resolve();
      };
      this.#worker.onerror = (event) =>
        reject(new Error(event.message || 'the worker could not be started'));
      this.#worker.postMessage(job);
    });
  }

  async close(): Promise<void> {
    this.#worker.terminate();
  }
}
