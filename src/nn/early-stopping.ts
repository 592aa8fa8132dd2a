/** Which epoch is the best, and ending training when none better comes. */
import { checkInteger, checkNumber, checkOptions, fail } from '../validate';

export interface EarlyStoppingOptions {
  /** Epochs without improvement after which training ends: an integer ≥ 1. */
  patience: number;
  /**
   * What counts as improvement: a loss lower by more than this than that of the best epoch before,
   * in [0, ∞). It decides the same way for `patience`, `restoreBest`, `bestEpoch` and
   * `checkpoint.keep: 'best'`. @default 0
   */
  minDelta?: number;
  /**
   * Gives the model the weights of its best epoch at the end, unless the run was aborted.
   * @default true
   */
  restoreBest?: boolean;
}

/** Plain data, for checkpoints. */
export interface EarlyStoppingState {
  best: number | null;
  bestEpoch: number;
  waited: number;
}

/** Watches one figure an epoch: the validation loss, or the training loss without validation. */
export class EarlyStopping {
  readonly restoreBest: boolean;
  readonly #patience: number;
  readonly #minDelta: number;
  state: EarlyStoppingState = { best: null, bestEpoch: 0, waited: 0 };

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

  get exhausted(): boolean {
    return this.state.waited >= this.#patience;
  }

  /** The best epoch so far; null before there is one. */
  get bestEpoch(): number | null {
    return this.state.best === null ? null : this.state.bestEpoch;
  }

  /** Takes an epoch's figure; whether it is the best so far. NaN never is. */
  observe(epoch: number, value: number): boolean {
    const { best } = this.state;
    const improved = best === null ? !Number.isNaN(value) : value < best - this.#minDelta;
    if (improved) this.state = { best: value, bestEpoch: epoch, waited: 0 };
    else this.state = { ...this.state, waited: this.state.waited + 1 };
    return improved;
  }
}
