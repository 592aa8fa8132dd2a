/**
 * The errors that the library throws on purpose. Each has a `code` that is stable across versions
 * and bundlers.
 */

/** The base class: `error instanceof AdalError` distinguishes the library's errors from others. */
export class AdalError extends Error {
  /** Identifier of the kind of error, such as `'ERR_ARGUMENT'`; stable across versions. */
  readonly code: string;

  /** Creates an error with a code. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * An argument is of the wrong type or out of range. The message reads `"name" expected X, got Y`.
 */
export class ArgumentError extends AdalError {
  /** Path of the argument: `betas[1]`, `params.w`. */
  readonly argument: string;

  /** Creates an error of the form `"argument" expected …, got …`. */
  constructor(argument: string, expected: string, got: string) {
    super('ERR_ARGUMENT', `"${argument}" expected ${expected}, got ${got}`);
    this.argument = argument;
  }
}

/** Linear memory cannot hold a requested allocation. */
export class OutOfMemoryError extends AdalError {
  /** Bytes that were requested. */
  readonly wanted: number;
  /** Bytes that were available in one piece. */
  readonly available: number;

  /** Creates an error from the sizes, bytes. */
  constructor(wanted: number, available: number, maximum: number) {
    super(
      'ERR_OUT_OF_MEMORY',
      `linear memory is full: ${wanted} bytes requested, ${available} available ` +
        `of at most ${maximum} (option "maxMemory")`,
    );
    this.wanted = wanted;
    this.available = available;
  }
}

/** This engine or machine does not support a requested feature. */
export class UnsupportedError extends AdalError {
  /** Creates an error with a message. */
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_UNSUPPORTED', message, options);
  }
}

/** An object was used after `dispose()`. */
export class DisposedError extends AdalError {
  /** Creates an error that names the object. */
  constructor(what: string) {
    super('ERR_DISPOSED', `${what} was used after dispose()`);
  }
}

/**
 * An object was used while another operation holds it: `stepAsync`, `fit`, or a step that runs a
 * callback.
 */
export class BusyError extends AdalError {
  /** Creates an error that names the object and the operation. */
  constructor(what: string, reason = 'while a stepAsync is under way: await it first') {
    super('ERR_BUSY', `${what} cannot be used ${reason}`);
  }
}

/** A step was refused because of its gradients. No parameter or state has changed. */
export class NonFiniteGradientError extends AdalError {
  /**
   * `'non-finite'` if a gradient has NaN or Infinity; `'overflow'` if finite gradients could make a
   * weight overflow float32.
   */
  readonly reason: 'non-finite' | 'overflow';
  /** Index of the param group of `parameter`. */
  readonly group: number;
  /** Name of the first parameter that caused the refusal. */
  readonly parameter: string;
  /** Number of non-finite elements in all gradients. */
  readonly count: number;

  /**
   * Creates an error that names the parameter.
   * @param normLimit the L1 norm from which gradients are refused, if that is the reason
   * @param hint end of the message: where the numbers come from, if that is known
   */
  constructor(
    reason: 'non-finite' | 'overflow',
    group: number,
    parameter: string,
    count: number,
    normLimit = Infinity,
    hint = '',
  ) {
    const limit = normLimit === 2 ** 63 ? '2^63' : normLimit.toPrecision(3);
    const place = `parameter "${parameter}" (group ${group})`;
    const what =
      reason === 'non-finite'
        ? `${count} non-finite gradient element${count === 1 ? '' : 's'}, the first in ${place}`
        : normLimit === Infinity
          ? `the update of ${place} could overflow float32 (eps multiplies gradients this large)`
          : `the L1 norm of the gradients of ${place} is ${limit} or more, so the update could ` +
            'overflow float32';
    super('ERR_NON_FINITE', `${what}: the step was refused and nothing has changed${hint}`);
    this.reason = reason;
    this.group = group;
    this.parameter = parameter;
    this.count = count;
  }
}

/**
 * A worker thread failed, exited or stopped responding. Unless it is a StepAbortedError, nothing
 * has changed.
 */
export class WorkerError extends AdalError {
  /** Creates an error with a message. */
  constructor(message: string, options?: ErrorOptions, code = 'ERR_WORKER') {
    super(code, message, options);
  }
}

/**
 * A step was aborted while weights were being written: parameters and state are unusable until
 * `loadStateDict`.
 */
export class StepAbortedError extends WorkerError {
  /** Creates an error with a message. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options, 'ERR_STEP_ABORTED');
  }
}

/** A data file or stream violates its format. */
export class DataError extends AdalError {
  /** Creates an error with a message. */
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_DATA', message, options);
  }
}

/** A checkpoint violates its format, or a store cannot save or load one. */
export class CheckpointError extends AdalError {
  /** Identifier of the cause: `'hole'`, `'duplicate-key'`, `'conflict'`, … */
  readonly reason: string;

  /** Creates an error with a reason and a message. */
  constructor(reason: string, message: string, options?: ErrorOptions, code = 'ERR_CHECKPOINT') {
    super(code, message, options);
    this.reason = reason;
  }
}
