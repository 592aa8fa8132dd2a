/** A result as it grows. Invariant: it is valid at any time, and has no entry twice: a newer one takes the place of the older. */
import type { Result } from '../schema/result';
import { type Entry, type EntryType, keyOf, LISTS } from './result';

export class ResultStore {
  readonly result: Result;
  readonly #keys = new Set<string>();

  constructor(result: Result) {
    this.result = result;
    for (const type of Object.keys(LISTS) as EntryType[]) {
      for (const value of LISTS[type].of(result)) this.#keys.add(keyOf(type, value));
    }
  }

  has(type: EntryType, identity: object): boolean {
    return this.#keys.has(keyOf(type, identity));
  }

  add({ type, value }: Entry): void {
    const key = keyOf(type, value);
    const list = LISTS[type].of(this.result) as object[];
    if (this.#keys.has(key)) list[list.findIndex((each) => keyOf(type, each) === key)] = value;
    else list.push(value);
    this.#keys.add(key);
  }
}
