/** The messages between `trainInWorker` and its worker, and the transfer of errors and arrays. */
import * as errors from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { isSharedArrayBuffer } from '../validate';
import type { FitProgress, FitResult } from './fit-options';
import type { ModelStateDict } from './learnt-state';
import type { SampleArrays, SampleFormat } from './samples';
import type { PlainSpec } from './training-spec';

/**
 * Messages to the worker. `prepare` comes first, `train` follows `prepared`; `loaded` and `saved`
 * answer `load` and `save`.
 */
export type TrainerRequest =
  | { readonly type: 'prepare'; readonly spec: PlainSpec; readonly budgetMs: number }
  | {
      readonly type: 'train';
      readonly data: SampleArrays;
      readonly validation: SampleArrays | undefined;
      readonly every: number | undefined;
    }
  | { readonly type: 'loaded'; readonly bytes: Uint8Array<ArrayBuffer> | null }
  | { readonly type: 'saved' }
  | { readonly type: 'store-failed'; readonly error: SentError }
  | { readonly type: 'abort' };

/** Messages from the worker. */
export type TrainerReport =
  /** The run is ready for samples of this format. */
  | { readonly type: 'prepared'; readonly format: SampleFormat }
  | { readonly type: 'progress'; readonly progress: FitProgress }
  | { readonly type: 'alive' }
  | { readonly type: 'load' }
  | { readonly type: 'save'; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly type: 'done';
      readonly result: FitResult;
      readonly model: ModelStateDict;
      readonly optimizer: StateDict;
    }
  | { readonly type: 'failed'; readonly error: SentError };

/** An error as plain data. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** The error's own fields, such as `code` and `argument`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Converts an error to plain data. */
export function sendError(error: unknown): SentError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, fields: {} };
  const { name, message, stack } = error;
  const plain = Object.entries(error).filter(
    ([, value]) => value === null || ['string', 'number'].includes(typeof value),
  );
  return { name, message, stack, fields: Object.fromEntries(plain) };
}

/** Restores an error, with the library's own class if it had one. */
export function receiveError({ name, message, stack, fields }: SentError): Error {
  const error = new Error(message);
  const type = (errors as Record<string, { prototype: object }>)[name];
  if (type) Object.setPrototypeOf(error, type.prototype);
  Object.defineProperty(error, 'stack', {
    value: stack ?? error.stack,
    configurable: true,
    writable: true,
  });
  return Object.assign(error, { ...fields, name });
}

/**
 * Returns the transferable buffers of all typed arrays in plain data, once each; not shared ones.
 */
export function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): readonly ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (!isSharedArrayBuffer(value.buffer)) found.add(value.buffer as ArrayBuffer);
  } else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) buffersOf(part, found);
  }
  return [...found];
}
