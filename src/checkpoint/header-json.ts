/**
 * A strict JSON reader for the headers of hostile files. Unlike JSON.parse it refuses keys that come twice, keeps numbers that a
 * double would round apart from those it holds, and bounds nesting.
 *
 * Invariant: time and memory are proportional to the text; objects are Maps, so no key means anything to the engine.
 */
import { CheckpointError } from '../errors';

/** A number that is no whole number in [0, 2^53 - 1] written plainly, kept as it was written: "-1", "0.5", "1e3", "2.0". */
export class OddNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A JSON value. */
export type Json = null | boolean | number | string | OddNumber | Json[] | Map<string, Json>;

/** As deep as the reference reader goes. */
const MAX_DEPTH = 128;
const SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /^(?:0|[1-9][0-9]{0,15})$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const WORDS: readonly [string, Json][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/**
 * Reads a JSON text.
 * @throws CheckpointError with the reason `'json'` (not JSON, or nested deeper than 128) or `'duplicate-key'`
 */
export function parseStrictJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value('', 0);
  reader.end();
  return value;
}

/** A JSON value as an error message shows it: short. */
export function describeJson(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value instanceof OddNumber) return shorten(value.text);
  if (value instanceof Map) return 'an object';
  if (Array.isArray(value)) return value.length <= 8 ? `[${value.map(describeJson).join(', ')}]` : `an array of ${value.length}`;
  return typeof value === 'string' ? shorten(JSON.stringify(value)) : String(value);
}

/** At most 60 characters of a text. */
export function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @param path of the value, for messages */
  value(path: string, depth: number): Json {
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === '"') return this.#string();
    if (first === '{' || first === '[') {
      if (depth === MAX_DEPTH) this.#fail(`at most ${MAX_DEPTH} levels`);
      return first === '{' ? this.#object(path, depth) : this.#array(path, depth);
    }
    for (const [word, value] of WORDS) if (this.#take(word)) return value;
    return this.#number();
  }

  /** Checks that nothing but space is left. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('the end of the header');
  }

  #object(path: string, depth: number): Map<string, Json> {
    const fields = new Map<string, Json>();
    this.#at++;
    this.#skipSpace();
    if (this.#take('}')) return fields;
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#fail('a key');
      const key = this.#string();
      const keyPath = path === '' ? key : `${path}.${key}`;
      if (fields.has(key)) throw new CheckpointError('duplicate-key', `safetensors key "${shorten(keyPath)}" comes twice`);
      this.#skipSpace();
      if (!this.#take(':')) this.#fail("':'");
      fields.set(key, this.value(keyPath, depth + 1));
      this.#skipSpace();
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail("',' or '}'");
    return fields;
  }

  #array(path: string, depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    this.#skipSpace();
    if (this.#take(']')) return items;
    do {
      items.push(this.value(path, depth + 1));
      this.#skipSpace();
    } while (this.#take(','));
    if (!this.#take(']')) this.#fail("',' or ']'");
    return items;
  }

  #string(): string {
    const start = this.#at;
    let end = start;
    do end = this.#text.indexOf('"', end + 1);
    while (end !== -1 && this.#isEscaped(start, end));
    if (end === -1) this.#fail('a string that ends');
    const value = this.#unescape(start, end + 1);
    if (value.length < end - start - 1 && LONE_SURROGATE.test(value)) this.#fail('a string of whole characters');
    this.#at = end + 1;
    return value;
  }

  /** Whether an odd number of backslashes stands before the quote. */
  #isEscaped(start: number, quote: number): boolean {
    let first = quote;
    while (first - 1 > start && this.#text[first - 1] === '\\') first--;
    return (quote - first) % 2 === 1;
  }

  #unescape(start: number, end: number): string {
    try {
      return JSON.parse(this.#text.slice(start, end));
    } catch {
      return this.#fail('a string without control characters and unknown escapes');
    }
  }

  #number(): number | OddNumber {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0] ?? this.#fail('a value');
    this.#at += text.length;
    const value = PLAIN.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value) ? value : new OddNumber(text);
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #skipSpace(): void {
    while (SPACE.has(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #fail(expected: string): never {
    const got = this.#at < this.#text.length ? JSON.stringify(this.#text.slice(this.#at, this.#at + 12)) : 'the end';
    throw new CheckpointError('json', `safetensors header expected ${expected} at character ${this.#at}, got ${got}`);
  }
}
