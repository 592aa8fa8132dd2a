/**
 * A growing result. Invariant: it is valid at any time, and has every entry once: a newer entry
 * replaces the older one.
 */
import type { Result } from '../schema/result';
import { type Entry, type EntryType, keyOf, LISTS } from './result';

export class ResultStore {
  readonly result: Result;
  /** By key: where the entry stands in its list. */
  readonly #places = new Map<string, number>();

  constructor(result: Result) {
    this.result = result;
    for (const type of Object.keys(LISTS) as EntryType[]) {
      for (const [place, value] of LISTS[type].of(result).entries())
        this.#places.set(keyOf(type, value), place);
    }
  }

  has(type: EntryType, identity: object): boolean {
    return this.#places.has(keyOf(type, identity));
  }

  add({ type, value }: Entry): void {
    const key = keyOf(type, value);
    const list = LISTS[type].of(this.result) as object[];
    const place = this.#places.get(key) ?? list.length;
    list[place] = value;
    this.#places.set(key, place);
  }
}
