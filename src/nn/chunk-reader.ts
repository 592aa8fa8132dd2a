/**
 * Reading a stream of chunks, whatever kind it is.
 *
 * Invariant: a stream that was opened and has not ended by itself is closed: `return()` of an
 * iterator is called, a ReadableStream is cancelled and its lock is released.
 */
import { yieldToEventLoop } from '../runtime/yield-to-event-loop';
import type { AbortSignalLike } from '../types';
import { fail } from '../validate';

/** What iterators and stream readers have in common. */
interface ChunkSource {
  next(): unknown;
  /** Ends the stream early. */
  close(): unknown;
  /** Lets go of a stream that has ended. */
  release(): void;
}

interface Reader {
  read(): Promise<unknown>;
  cancel(): Promise<void>;
  releaseLock(): void;
}

/** Stands for a chunk that has not come when the signal was aborted. */
const ABORTED = Symbol('aborted');

export class ChunkReader {
  readonly #source: ChunkSource;
  readonly #signal: AbortSignalLike | undefined;
  /** Whether a chunk has been asked for and has not come. */
  #waiting = false;
  #ended = false;

  /**
   * @param signal ends waiting for a chunk
   * @throws ArgumentError for what is no stream
   */
  constructor(argument: string, stream: unknown, signal?: AbortSignalLike) {
    this.#source = sourceOf(argument, stream);
    this.#signal = signal;
  }

  /** The next chunk, or why there is none. Errors of the stream are passed on. */
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
   * Closes the stream if it has not ended by itself. Waits until it has closed, unless it is still
   * making a chunk: then it is told to close, and does so when it gets to it.
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
    // Not by its iterator, which can only be told to stop once a chunk has come.
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
  if (stream.locked) fail(argument, 'a ReadableStream that nothing else reads', stream);
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

/** What the promise gives, or ABORTED as soon as the signal is aborted. */
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
