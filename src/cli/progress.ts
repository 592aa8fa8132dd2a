/** Progress on stderr: a bar on a terminal, otherwise occasional lines. */
import { SingleBar } from 'cli-progress';
import type { FitEpoch, FitProgress } from '../nn';
import { formatCount, formatLoss, formatPercent } from './format';

/** Display of the progress of training. */
export interface ProgressDisplay {
  update(progress: FitProgress): void;
  /** Restores the terminal. May be called repeatedly. */
  stop(): void;
}

/** Approximate number of lines per run of many epochs. */
const LINES_A_RUN = 10;
/** Time after which a line is printed in any case. */
const SILENCE_MS = 10_000;
/** The highest redraw rate of the bar. */
const FRAMES_A_SECOND = 15;

export function createProgress(
  epochs: number,
  stream: NodeJS.WriteStream = process.stderr,
): ProgressDisplay {
  return stream.isTTY && process.env.TERM !== 'dumb'
    ? new Bar(epochs, stream)
    : new Lines(epochs, stream);
}

class Bar implements ProgressDisplay {
  readonly #epochs: number;
  readonly #bar: SingleBar;
  #started = false;
  #test = '–';

  constructor(epochs: number, stream: NodeJS.WriteStream) {
    this.#epochs = epochs;
    this.#bar = new SingleBar({
      stream,
      format: '{bar} epoch {epoch}/{epochs}  loss {loss}  test {test}  {rate} samples/s',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 16,
      fps: FRAMES_A_SECOND,
      hideCursor: null as never, // a second Ctrl-C would leave it hidden
      gracefulExit: false,
      emptyOnZero: true,
    });
  }

  update({ epoch, batch, batchCount, loss, samplesPerSecond, result }: FitProgress): void {
    if (result) this.#test = formatTest(result);
    const payload = {
      epoch: String(epoch).padStart(String(this.#epochs).length),
      epochs: this.#epochs,
      loss: formatLoss(loss),
      test: this.#test,
      rate: formatCount(samplesPerSecond),
    };
    const done = (epoch - 1) * batchCount! + batch; // not null, since the data are in memory
    if (this.#started) this.#bar.update(done, payload);
    else this.#bar.start(this.#epochs * batchCount!, done, payload);
    this.#started = true;
  }

  stop(): void {
    if (this.#started) this.#bar.stop();
    this.#started = false;
  }
}

class Lines implements ProgressDisplay {
  readonly #epochs: number;
  readonly #stream: NodeJS.WritableStream;
  readonly #every: number;
  #printedAt = -Infinity;

  constructor(epochs: number, stream: NodeJS.WritableStream) {
    this.#epochs = epochs;
    this.#stream = stream;
    this.#every = Math.max(1, Math.ceil(epochs / LINES_A_RUN));
  }

  update({ epoch, batch, batchCount, loss, samplesPerSecond, result }: FitProgress): void {
    const due =
      result !== null && (epoch === 1 || epoch === this.#epochs || epoch % this.#every === 0);
    const now = performance.now();
    if (!due && now - this.#printedAt < SILENCE_MS) return;
    // Prints nothing before the end of the first epoch, unless that takes long.
    if (!due && this.#printedAt === -Infinity) {
      this.#printedAt = now;
      return;
    }
    this.#printedAt = now;
    const where = `epoch ${String(epoch).padStart(String(this.#epochs).length)}/${this.#epochs}`;
    const rest = result ? `test ${formatTest(result)}` : `batch ${batch}/${batchCount}`;
    this.#stream.write(
      `${where}  loss ${formatLoss(loss)}  ${rest}  ${formatCount(samplesPerSecond)} samples/s\n`,
    );
  }

  stop(): void {}
}

/** Formats the accuracy, or the loss of a regression. */
function formatTest({ validation }: FitEpoch): string {
  return validation!.accuracy === null
    ? formatLoss(validation!.loss)
    : formatPercent(validation!.accuracy);
}
