/** Ctrl-C: the first stops training after the current batch, the second ends the process. */
import { EXIT_INTERRUPTED } from './errors';

/** npm repeats the signal that the terminal sends; a signal this soon is the same Ctrl-C. */
const SAME_PRESS_MS = 500;

/** Calls `body` with an AbortSignal that Ctrl-C aborts. */
export async function withInterrupt<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      first = performance.now();
      controller.abort();
    } else if (performance.now() - first > SAME_PRESS_MS) {
      process.exit(EXIT_INTERRUPTED);
    }
  };
  process.on('SIGINT', onSignal);
  try {
    return await body(controller.signal);
  } finally {
    process.off('SIGINT', onSignal);
  }
}
