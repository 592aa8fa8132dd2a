/** What the fakes of platforms have in common. */
import { Xorshift } from '../../support/xorshift';

/** Thrown by every call once the process is said to be dead. */
export class Crash extends Error {}

/** Counts calls, and ends the process at one of them. */
export class Fuse {
  calls = 0;
  /** @param at the call that fails, and all after it */
  constructor(readonly at = Number.POSITIVE_INFINITY) {}

  burn(): void {
    if (++this.calls >= this.at) throw new Crash(`crashed at call ${this.at}`);
  }
}

const random = new Xorshift(99);

/** Lets others go first, for a few turns. */
export async function pause(): Promise<void> {
  for (let turns = random.below(4); turns >= 0; turns--) await null;
}

/** As storage does that clones values: a view takes its whole buffer along. */
export function clonedBytes(value: unknown): number {
  return value instanceof Uint8Array ? value.buffer.byteLength : JSON.stringify(value).length;
}
