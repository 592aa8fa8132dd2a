/**
 * The Worker that runs on workerd. A request is a job, its response has all entries, and the host
 * serves the data.
 */
import { type DataSource, MissingDataError } from '../data';
import { Executor } from '../executor';
import type { Job } from '../job';
import type { Entry } from '../result';

export interface WorkerAnswer {
  readonly entries: readonly Entry[];
  readonly error: string | null;
}

interface Bindings {
  /** Of workerd. */
  readonly VERSION: string;
  readonly DATA: { fetch(url: string): Promise<Response> };
}

const createSource = ({ DATA }: Bindings): DataSource => ({
  async load(name) {
    const response = await DATA.fetch(`http://data/${encodeURIComponent(name)}`);
    if (!response.ok) throw new MissingDataError(name, 'the host does not have it');
    return new Uint8Array(await response.arrayBuffer());
  },
});

const loadPeer = async (): Promise<never> => {
  throw new Error('other libraries are not loaded on workerd');
};

/**
 * Made by the first request, since nothing may be computed before; what it prepared serves the
 * others.
 */
let executor: Executor | null = null;

export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    executor ??= new Executor({
      data: createSource(bindings),
      loadPeer,
      version: bindings.VERSION,
    });
    const entries: Entry[] = [];
    let answer: WorkerAnswer = { entries, error: null };
    try {
      await executor.execute((await request.json()) as Job, (entry) => entries.push(entry));
    } catch (error) {
      answer = {
        entries,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    }
    return Response.json(answer);
  },
};
