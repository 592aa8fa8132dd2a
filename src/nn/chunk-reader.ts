/**
 * Reads a stream of chunks: an iterable, an async iterable or a ReadableStream.
 *
 * Invariant: `close` closes every stream that has not ended by itself. It calls the `return()` of
 * an iterator; it cancels a ReadableStream and releases its lock.
 */
import { yieldToEventLoop } from '../runtime/yield-to-event-loop';
import type { AbortSignalLike } from '../types';
import { fail } from '../validate';

/** The common interface of iterators and stream readers. */
interface ChunkSource {
  next(): unknown;
  /** Ends the stream early. */
  close(): unknown;
  /** Releases a stream that has ended. */
  release(): void;
}

interface Reader {
  read(): Promise<unknown>;
  cancel(): Promise<void>;
  releaseLock(): void;
}

/** The result of waiting for a chunk until the signal was aborted. */
const ABORTED = Symbol('aborted');

export class ChunkReader {
  readonly #source: ChunkSource;
  readonly #signal: AbortSignalLike | undefined;
  /** Whether a chunk has been requested and has not arrived. */
  #waiting = false;
  #ended = false;

  /**
   * @param signal aborts waiting for a chunk
   * @throws ArgumentError for a value that is no stream
   */
  constructor(argument: string, stream: unknown, signal?: AbortSignalLike) {
    this.#source = sourceOf(argument, stream);
    this.#signal = signal;
  }

  /** Returns the next chunk, or the reason why there is none. Throws the errors of the stream. */
  async next(): Promise<{ readonly chunk: unknown } | 'end' | 'aborted'> {
    if (this.#ended) return 'end';
    if (this.#signal?.aborted) return 'aborted';
    this.#waiting = true;
    try {
      const answer = this.#source.next();
      const result = isPromise(answer) ? await untilAborted(answer, this.#signal) : answer;
      if (result === ABORTED) return 'aborted';
      this.#waiting = false;
      const { done, value } = result as IteratorResult<unknown>;
      if (!done) return { chunk: value };
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return 'end';
  }

  /**
   * Closes the stream if it has not ended by itself. Waits until it has closed, unless a chunk is
   * still pending: then the stream closes after that chunk, and nobody waits for it.
   */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#waiting) {
      await this.#source.close();
      return;
    }
    const closing = (async () => this.#source.close())().catch(() => {});
    await Promise.race([closing, yieldToEventLoop()]);
  }

  #end(): void {
    this.#ended = true;
    this.#source.release();
  }
}

function sourceOf(argument: string, stream: unknown): ChunkSource {
  if (typeof stream === 'object' && stream !== null) {
    // Its iterator could not be stopped before the next chunk has arrived; its reader can.
    if ('getReader' in stream && typeof stream.getReader === 'function')
      return readerSource(argument, stream as ReadableStream);
    for (const key of [Symbol.asyncIterator, Symbol.iterator] as const) {
      const open = (stream as Record<symbol, unknown>)[key];
      if (typeof open === 'function') return iteratorSource(open.call(stream) as Iterator<unknown>);
    }
  }
  return fail(argument, 'an iterable or async iterable of samples, or a ReadableStream', stream);
}

function iteratorSource(iterator: Iterator<unknown>): ChunkSource {
  return { next: () => iterator.next(), close: () => iterator.return?.(), release() {} };
}

function readerSource(argument: string, stream: ReadableStream): ChunkSource {
  if (stream.locked)
    fail(argument, 'a ReadableStream that is not locked to another reader', stream);
  const reader = stream.getReader() as Reader;
  return {
    next: () => reader.read(),
    close() {
      const cancelled = reader.cancel();
      reader.releaseLock();
      return cancelled;
    },
    release: () => reader.releaseLock(),
  };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null)?.then === 'function';
}

/** Resolves to the value of the promise, or to ABORTED as soon as the signal is aborted. */
function untilAborted(
  promise: PromiseLike<unknown>,
  signal: AbortSignalLike | undefined,
): PromiseLike<unknown> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => resolve(ABORTED);
    const settle = (act: (value: unknown) => void) => (value: unknown) => {
      signal.removeEventListener('abort', abort);
      act(value);
    };
    promise.then(settle(resolve), settle(reject));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
}
