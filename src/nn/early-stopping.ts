/** Early stopping: which epoch is the best, and when training ends because none is better. */
import { checkInteger, checkNumber, checkOptions, fail } from '../validate';

export interface EarlyStoppingOptions {
  /** Epochs without improvement after which training ends: an integer in [1, 2^31). */
  patience: number;
  /**
   * Smallest decrease of the loss, compared with the best epoch so far, that counts as an
   * improvement: in [0, ∞). The same rule decides `patience`, `restoreBest`, `bestEpoch` and
   * `checkpoint.keep: 'best'`.
   * @default 0
   */
  minDelta?: number;
  /**
   * Whether `fit` restores the weights of the best epoch at the end. An aborted run keeps the
   * weights that it has.
   * @default true
   */
  restoreBest?: boolean;
}

/** Best epoch so far: plain data, part of a checkpoint. */
export interface EarlyStoppingState {
  /** Loss of the best epoch; null before there is one. */
  readonly best: number | null;
  /** That epoch, from 1; 0 before there is one. */
  readonly bestEpoch: number;
  /** Epochs since. */
  readonly waited: number;
}

/** Watches one loss per epoch: the validation loss, or the training loss without validation. */
export class EarlyStopping {
  readonly restoreBest: boolean;
  readonly #patience: number;
  readonly #minDelta: number;

  /**
   * Without options it never ends training.
   * @throws ArgumentError for options out of range
   */
  constructor(options?: EarlyStoppingOptions) {
    if (options !== undefined)
      checkOptions('earlyStopping', options, ['patience', 'minDelta', 'restoreBest']);
    const {
      patience,
      minDelta = 0,
      restoreBest = true,
    } = options ?? { patience: 2 ** 31 - 1, restoreBest: false };
    this.#patience = checkInteger('earlyStopping.patience', patience, 1, 2 ** 31 - 1);
    this.#minDelta = checkNumber(
      'earlyStopping.minDelta',
      minDelta,
      '[0, ∞)',
      (value) => value >= 0,
    );
    if (typeof restoreBest !== 'boolean')
      fail('earlyStopping.restoreBest', 'true or false', restoreBest);
    this.restoreBest = restoreBest;
  }

  /** Tells whether training has gone on for `patience` epochs without improvement. */
  isExhausted({ waited }: EarlyStoppingState): boolean {
    return waited >= this.#patience;
  }

  /** Returns the state after an epoch with this loss. A NaN is never an improvement. */
  observe(state: EarlyStoppingState, epoch: number, loss: number): EarlyStoppingState {
    const { best, waited } = state;
    const improved = best === null ? !Number.isNaN(loss) : loss < best - this.#minDelta;
    return improved
      ? { best: loss, bestEpoch: epoch, waited: 0 }
      : { ...state, waited: waited + 1 };
  }
}
