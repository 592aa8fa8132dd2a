/** Worker hosts for Node whose workers misbehave; faults.ts has what they do. */
import { Worker } from 'node:worker_threads';
import workerSource from '../../build/worker.js';
import type { WorkerHandle, WorkerHost } from '../../src/runtime/worker-host-types';
import { type Fault, type Moment, prelude } from './faults';

function spawn(
  source: string,
  workerData: unknown,
  onEnd: (reason: string) => void,
): WorkerHandle & { readonly worker: Worker } {
  const worker = new Worker(source, { eval: true, execArgv: [], workerData });
  worker.on('error', (error) => onEnd(String(error)));
  worker.on('exit', (code) => onEnd(`exit code ${code}`));
  worker.unref();
  return {
    worker,
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    terminate: () => void worker.terminate(),
  };
}

/** Every worker of this host has the fault; or, given `only`, the one of that index. */
export function faultyHost(fault: Fault, moment: Moment, only?: number): WorkerHost {
  let index = 0;
  return {
    spawn(input, onEnd) {
      const source =
        only === undefined || index === only ? prelude(fault, moment) + workerSource : workerSource;
      index++;
      return spawn(source, input, onEnd);
    },
  };
}

/** Workers that run `source` instead of the library's. */
export function sourceHost(source: string): WorkerHost {
  return { spawn: (input, onEnd) => spawn(source, input, onEnd) };
}

/** Sound workers that the test can kill. */
export function killableHost(): WorkerHost & { kill(): Promise<void> } {
  const workers: Worker[] = [];
  return {
    spawn(input, onEnd) {
      const handle = spawn(workerSource, input, onEnd);
      workers.push(handle.worker);
      return handle;
    },
    async kill() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** What has become of a host's workers. */
interface WorkerCounts {
  spawned: number;
  terminated: number;
  /** Held now. */
  referenced: number;
  /** How often one was held that was not before. */
  holds: number;
}

/** Counts what becomes of the workers of another host. */
export function countingHost(host: WorkerHost): WorkerHost & WorkerCounts {
  return {
    spawned: 0,
    terminated: 0,
    referenced: 0,
    holds: 0,
    spawn(input, onEnd) {
      this.spawned++;
      const handle = host.spawn(input, onEnd);
      let held = false;
      const hold = (wanted: boolean) => {
        if (held === wanted) return;
        held = wanted;
        this.referenced += wanted ? 1 : -1;
        if (wanted) this.holds++;
      };
      return {
        ref: () => {
          hold(true);
          handle.ref();
        },
        unref: () => {
          hold(false);
          handle.unref();
        },
        terminate: () => {
          this.terminated++;
          handle.terminate();
        },
      };
    },
  };
}
