/** Progress on stderr: a bar with the time left on a terminal, else a line now and then. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  add(weight: number, what: string): void;
  stop(): void;
}

const SILENCE_MS = 15_000;

export function createProgress(
  title: string,
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const begin = Date.now();
  let done = 0;
  const left = () => (done > 0 ? formatTime(((Date.now() - begin) * (total - done)) / done) : '–');
  if (stream.isTTY && process.env.TERM !== 'dumb') {
    const bar = new SingleBar({
      stream,
      format: `${title} {bar} {percentage}%  {left} left  {what}`,
      barsize: 20,
      fps: 5,
    });
    bar.start(total, 0, { left: '–', what: '' });
    const add = (weight: number, what: string) => {
      done += weight;
      bar.update(done, { left: left(), what });
    };
    return { add, stop: () => bar.stop() };
  }
  let printedAt = begin;
  return {
    add(weight, what) {
      done += weight;
      if (Date.now() - printedAt < SILENCE_MS) return;
      printedAt = Date.now();
      stream.write(`${title} ${Math.round((100 * done) / total)}%, ${left()} left: ${what}\n`);
    },
    stop() {},
  };
}

/** 75,000 ms: 1:15. */
export function formatTime(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
