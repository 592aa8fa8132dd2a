/** Assertions of the suite, which runs where no test framework does. */
import type { StatePart } from '../../../src/optimizers/state-array';

export interface Failure {
  readonly name: string;
  readonly error: string;
}

/** Counts tests; a failure never ends the run. */
export class Recorder {
  passed = 0;
  readonly failures: Failure[] = [];

  async test(name: string, body: () => unknown): Promise<void> {
    try {
      await body();
      this.passed++;
    } catch (error) {
      this.failures.push({
        name,
        error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error),
      });
    }
  }
}

export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`expected ${what}`);
}

/** Checks that two values are equal as text: plain values, counters and names. */
export function checkEqual(got: unknown, want: unknown, what: string): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

/** Checks that two arrays are equal in every bit: -0 differs from 0, and NaN equals NaN. */
export function checkBits(got: StatePart, want: StatePart, what: string): void {
  check(got.length === want.length, `${what} to have ${want.length} elements, got ${got.length}`);
  const [a, b] = [got, want].map((values) =>
    values instanceof Float32Array ? new Uint32Array(values.slice().buffer) : values,
  );
  const at = a.findIndex((bits, i) => bits !== b[i]);
  if (at >= 0) throw new Error(`${what}[${at}]: expected ${want[at]}, got ${got[at]}`);
}

/** Returns the error that `body` throws. */
export async function caught(body: () => unknown): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error, got none');
}
