/**
 * The script of a worker thread. It is started from source text: so this file imports nothing but
 * types, and receives everything it needs, offsets included, as its input.
 *
 * Invariant: a worker reports to its pool only through shared memory. While the pool's thread is
 * blocked in a step, that thread receives no messages, but it can read a flag.
 */

/**
 * The input of a worker. Indices are those of words (i32) in `memory`, offsets those of bytes.
 */
export interface WorkerInput {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Name of the export that is the worker's loop. */
  readonly serve: string;
  /** Address of the control block. */
  readonly control: number;
  /** Number of the worker, counted from 1. */
  readonly thread: number;
  /** Iterations of the waiting loop before the worker parks. */
  readonly spins: number;
  readonly stateIndex: number;
  readonly eventIndex: number;
  readonly errorLengthIndex: number;
  readonly errorTextOffset: number;
  readonly errorBytes: number;
  /** The value of WORKER_READY; the following three likewise. */
  readonly ready: number;
  readonly exited: number;
  readonly failed: number;
  readonly absent: number;
}

interface WorkerThreads {
  workerData: WorkerInput | null;
}
interface NodeWorkerProcess {
  getBuiltinModule?(name: 'node:worker_threads'): WorkerThreads;
  on(event: 'exit', listener: () => void): void;
}
interface WorkerScope {
  process?: NodeWorkerProcess;
  onmessage: ((event: { data: WorkerInput }) => void) | null;
  close(): void;
}

function serve(input: WorkerInput, onExit: (listener: () => void) => void): void {
  const words = new Int32Array(input.memory.buffer);
  const event = input.eventIndex;
  const announce = (state: number): void => {
    Atomics.store(words, input.stateIndex, state);
    Atomics.notify(words, input.stateIndex);
    Atomics.add(words, event, 1);
    Atomics.notify(words, event);
  };
  const report = (error: unknown): void => {
    // Encodes into memory of its own first: text encoders refuse shared memory.
    const text = new TextEncoder().encode(String(error)).subarray(0, input.errorBytes);
    new Uint8Array(input.memory.buffer, input.errorTextOffset, text.length).set(text);
    Atomics.store(words, input.errorLengthIndex, text.length);
  };
  // The state that the end of this thread announces; null once a failure has been announced.
  let end: number | null = input.absent;
  onExit(() => {
    if (end !== null) announce(end);
  });
  try {
    const instance = new WebAssembly.Instance(input.module, { env: { memory: input.memory } });
    const loop = instance.exports[input.serve] as (
      control: number,
      spins: number,
      thread: number,
    ) => void;
    announce(input.ready);
    end = input.exited;
    loop(input.control, input.spins, input.thread);
  } catch (error) {
    report(error);
    announce(end === input.absent ? input.absent : input.failed);
    end = null;
  }
}

const scope = globalThis as unknown as WorkerScope;
const data = scope.process?.getBuiltinModule?.('node:worker_threads').workerData;
if (data) {
  serve(data, (listener) => scope.process?.on('exit', listener));
} else {
  scope.onmessage = (event) => {
    let announceEnd = (): void => {};
    serve(event.data, (listener) => {
      announceEnd = listener;
    });
    announceEnd();
    scope.close();
  };
}
