/**
 * What `trainInWorker` and its worker say to each other, and how errors and arrays travel between
 * them.
 */
import * as errors from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { isSharedArrayBuffer } from '../validate';
import type { FitProgress, FitResult } from './fit-options';
import type { ModelStateDict } from './learnt-state';
import type { SampleArrays, SampleFormat } from './samples';
import type { PlainSpec } from './training-spec';

/**
 * To the worker. `prepare` comes first, `train` after `prepared`; `loaded` and `saved` answer
 * `load` and `save`.
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

/** From the worker. */
export type TrainerReport =
  /** The run can begin, and this is what its samples must look like. */
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
  /** Its own fields, such as `code` and `argument`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export function sendError(error: unknown): SentError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, fields: {} };
  const { name, message, stack } = error;
  const plain = Object.entries(error).filter(
    ([, value]) => value === null || ['string', 'number'].includes(typeof value),
  );
  return { name, message, stack, fields: Object.fromEntries(plain) };
}

/** The error again, of the library's own class if it was. */
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
 * The buffers of all typed arrays in plain data, once each, that can move to another thread: shared
 * ones stay where they are.
 */
export function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): readonly ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (!isSharedArrayBuffer(value.buffer)) found.add(value.buffer as ArrayBuffer);
  } else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) buffersOf(part, found);
  }
  return [...found];
}
