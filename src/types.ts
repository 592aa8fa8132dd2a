/**
 * Public types that belong to no single module, among them structural stand-ins for types of the
 * DOM, so that the declarations compile without `lib: ["dom"]`.
 */

/** A learning rate: a constant, or a function of the step (1-based: the first step is 1). */
export type LearningRate = number | ((step: number) => number);

/** A `URL` object of the platform. */
export interface UrlLike {
  /** The whole address. */
  readonly href: string;
  /** The scheme with its colon. */
  readonly protocol: string;
  /** The query parameters, which a `Location` lacks. */
  readonly searchParams: object;
}

/** A fetched `Response` of the platform. */
export interface ResponseLike {
  /** Whether the status is in [200, 299]. */
  readonly ok: boolean;
  /** The HTTP status. */
  readonly status: number;
  /** The address that answered. */
  readonly url: string;
  /** The headers of the response. */
  readonly headers: { get(name: string): string | null };
  /** Reads the whole body. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** An `AbortSignal` of the platform. */
export interface AbortSignalLike {
  /** Whether the signal has been aborted. */
  readonly aborted: boolean;
  /** Calls `listener` when the signal is aborted. */
  addEventListener(type: 'abort', listener: () => void): void;
  /** Removes a listener. */
  removeEventListener(type: 'abort', listener: () => void): void;
}
