/**
 * What a worker thread runs. It is started from source text, so this file imports nothing (types
 * aside) and takes all it needs, offsets included, as its input.
 *
 * Invariant: the worker speaks to its pool through shared memory alone. While the pool's thread is
 * blocked in a step it receives no message, but it can read a flag.
 */

/**
 * Indices are those of words (i32) in `memory`, offsets those of bytes; states are the WORKER_…
 * constants.
 */
export interface WorkerInput {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The export to run. */
  readonly serve: string;
  readonly control: number;
  /** Its number, 1 and up. */
  readonly thread: number;
  /** Turns of the waiting loop before the worker parks. */
  readonly spins: number;
  readonly stateIndex: number;
  readonly eventIndex: number;
  readonly errorLengthIndex: number;
  readonly errorTextOffset: number;
  readonly errorBytes: number;
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
    // Copied out first: text encoders refuse shared memory.
    const text = new TextEncoder().encode(String(error)).subarray(0, input.errorBytes);
    new Uint8Array(input.memory.buffer, input.errorTextOffset, text.length).set(text);
    Atomics.store(words, input.errorLengthIndex, text.length);
  };
  // What the end of this thread means for the pool; nothing once a failure has been announced.
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
