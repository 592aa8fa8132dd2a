/** Early stopping: which epoch is the best, and when training ends because none is better. */
import { checkInteger, checkNumber, checkOptions, fail } from '../validate';

export interface EarlyStoppingOptions {
  /** Epochs without improvement after which training ends: an integer in [1, 2^31). */
  patience: number;
  /**
   * Figure to watch, by its place in the result of an epoch: 'loss' or a training metric
   * ('accuracy', 'f1'), 'validation.loss', 'validation.accuracy' or another metric of the
   * validation ('validation.auc'), and with several losses `validation.<output>.loss` and
   * `validation.<output>.<metric>`. Losses, 'meanAbsoluteError' and 'rootMeanSquaredError' should
   * fall, and all other metrics rise. In Keras: `val_loss`, `val_accuracy` and so on.
   * @default 'validation.loss', or 'loss' without validation
   */
  monitor?: string;
  /**
   * Smallest change for the better, compared with the best epoch so far, that counts as an
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
  /** Watched figure of the best epoch; null before there is one. */
  readonly best: number | null;
  /** That epoch, from 1; 0 before there is one. */
  readonly bestEpoch: number;
  /** Epochs since. */
  readonly waited: number;
}

/** Watches one figure per epoch. */
export class EarlyStopping {
  readonly restoreBest: boolean;
  /** Name of the figure as given. */
  readonly monitor: string | undefined;
  readonly #patience: number;
  readonly #minDelta: number;
  /** 1 if the figure should fall, and -1 if it should rise. */
  readonly #sign: number;

  /**
   * Without options it never ends training.
   * @throws ArgumentError for options out of range
   */
  constructor(options?: EarlyStoppingOptions) {
    if (options !== undefined)
      checkOptions('earlyStopping', options, ['patience', 'monitor', 'minDelta', 'restoreBest']);
    const {
      patience,
      monitor,
      minDelta = 0,
      restoreBest = true,
    } = options ?? ({ patience: 2 ** 31 - 1, restoreBest: false } as EarlyStoppingOptions);
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
    if (monitor !== undefined && typeof monitor !== 'string')
      fail('earlyStopping.monitor', 'the name of a loss or metric', monitor);
    this.monitor = monitor;
    this.#sign = isMinimised(monitor) ? 1 : -1;
  }

  /** Tells whether training has gone on for `patience` epochs without improvement. */
  isExhausted({ waited }: EarlyStoppingState): boolean {
    return waited >= this.#patience;
  }

  /** Returns the state after an epoch with this figure. A NaN is never an improvement. */
  observe(state: EarlyStoppingState, epoch: number, figure: number): EarlyStoppingState {
    const { best, waited } = state;
    const sign = this.#sign;
    const improved =
      best === null ? !Number.isNaN(figure) : sign * figure < sign * best - this.#minDelta;
    return improved
      ? { best: figure, bestEpoch: epoch, waited: 0 }
      : { ...state, waited: waited + 1 };
  }
}

/** Whether smaller values of a figure are better. */
function isMinimised(monitor = 'loss'): boolean {
  return /(^|\.)(loss|meanAbsoluteError|rootMeanSquaredError)$/.test(monitor);
}
