/**
 * Every error the library throws on purpose. All carry a `code`, stable across versions and
 * bundlers.
 */

/** The common ancestor: `error instanceof AdalError` tells the library's errors from others. */
export class AdalError extends Error {
  /** A stable name for programs. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An argument of the wrong kind or out of range: the message reads `"name" expected X, got Y`. */
export class ArgumentError extends AdalError {
  /** The argument, as a path: `betas[1]`, `params.w`. */
  readonly argument: string;

  constructor(argument: string, expected: string, got: string) {
    super('ERR_ARGUMENT', `"${argument}" expected ${expected}, got ${got}`);
    this.argument = argument;
  }
}

/** Linear memory cannot hold what is asked for. */
export class OutOfMemoryError extends AdalError {
  /** Bytes asked for. */
  readonly wanted: number;
  /** Bytes that could still be had. */
  readonly available: number;

  constructor(wanted: number, available: number, maximum: number) {
    super(
      'ERR_OUT_OF_MEMORY',
      `linear memory is full: ${wanted} bytes wanted, ${available} available of at most ${maximum} (option "maxMemory")`,
    );
    this.wanted = wanted;
    this.available = available;
  }
}

/** What was asked for is not to be had on this engine or machine. */
export class UnsupportedError extends AdalError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_UNSUPPORTED', message, options);
  }
}

/** Use after `dispose()`. */
export class DisposedError extends AdalError {
  constructor(what: string) {
    super('ERR_DISPOSED', `${what} was used after dispose()`);
  }
}

/**
 * Use of an object while an operation that owns it is under way: `stepAsync`, `fit`, or a callback
 * inside a step.
 */
export class BusyError extends AdalError {
  constructor(what: string, reason = 'while a stepAsync is under way: await it first') {
    super('ERR_BUSY', `${what} cannot be used ${reason}`);
  }
}

/** A step was refused because of its gradients. No parameter and no state has changed. */
export class NonFiniteGradientError extends AdalError {
  /**
   * Whether gradients held NaN or Infinity, or were finite but would send weights beyond float32.
   */
  readonly reason: 'non-finite' | 'overflow';
  /** Index of the param group of the first offender. */
  readonly group: number;
  /** Name of the first offending parameter. */
  readonly parameter: string;
  /** Non-finite elements over all gradients. */
  readonly count: number;

  /** @param normLimit the L1 norm from which on gradients are refused, where that is the reason */
  constructor(
    reason: 'non-finite' | 'overflow',
    group: number,
    parameter: string,
    count: number,
    normLimit = Infinity,
  ) {
    const place = `parameter "${parameter}" (group ${group})`;
    const what =
      reason === 'non-finite'
        ? `${count} non-finite gradient element${count === 1 ? '' : 's'}, the first in ${place}`
        : normLimit === Infinity
          ? `the update of ${place} could overflow float32 (eps is multiplied by gradients this large)`
          : `the L1 norm of the gradients of ${place} is ${normLimit === 2 ** 63 ? '2^63' : normLimit.toPrecision(3)} or more, so that the update could overflow float32`;
    super('ERR_NON_FINITE', `${what}: the step was refused and nothing has changed`);
    this.reason = reason;
    this.group = group;
    this.parameter = parameter;
    this.count = count;
  }
}

/**
 * A worker thread failed, exited or stopped answering. Unless it is a StepAbortedError, nothing has
 * changed.
 */
export class WorkerError extends AdalError {
  constructor(message: string, options?: ErrorOptions, code = 'ERR_WORKER') {
    super(code, message, options);
  }
}

/**
 * A step broke off while weights were being written: parameters and state are unusable until
 * `loadStateDict`.
 */
export class StepAbortedError extends WorkerError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options, 'ERR_STEP_ABORTED');
  }
}

/** A file or stream of data that does not hold what its format demands. */
export class DataError extends AdalError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_DATA', message, options);
  }
}

/**
 * A checkpoint that does not hold what its format demands, or a store that cannot keep or give one.
 */
export class CheckpointError extends AdalError {
  /** What is wrong, for programs: `'hole'`, `'duplicate-key'`, `'conflict'`, … */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions, code = 'ERR_CHECKPOINT') {
    super(code, message, options);
    this.reason = reason;
  }
}
