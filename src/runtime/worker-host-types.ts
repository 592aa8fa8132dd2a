/** The contract between the worker pools and whatever starts threads on a platform. */

/** One started thread. */
export interface WorkerHandle {
  /** Keeps the process alive while this worker has work. */
  ref(): void;
  /** Lets the process exit while this worker is idle. */
  unref(): void;
  /** Ends the thread, whatever it is doing. */
  terminate(): void;
}

/**
 * Starts worker threads. Pass one as `workerHost` to `createRuntime` on a platform that the library
 * does not know.
 */
export interface WorkerHost {
  /**
   * Starts a thread that runs `adal-wasm/worker.js`.
   * @param input a structured-cloneable message for that script: its `workerData` under
   * node:worker_threads, otherwise the data of its first message
   * @param onEnd the pool's callback for the end of the thread, whatever the cause. The host calls
   * it with a reason, as soon as the event loop of the calling thread can run
   */
  spawn(input: object, onEnd: (reason: string) => void): WorkerHandle;
}
