/**
 * A strict JSON reader for the headers of untrusted files. It works on bytes and builds no objects:
 * `check` verifies the whole text, then the caller walks through it and reads the fields it knows.
 * Unlike JSON.parse it does not round large integers, reports duplicate keys and bounds nesting.
 *
 * Invariant: time is linear in the length of the text; skipped values take no memory.
 */
import { CheckpointError } from '../errors';

/** The same limit as in the reference implementation. */
const MAX_DEPTH = 128;
/** Bytes decoded at a time by the check for UTF-8. */
const UTF8_PIECE = 65_536;
/** The most digits of an integer below 2^53. */
const MAX_DIGITS = 16;
const LONE_SURROGATE = /\p{Surrogate}/u;
const WORDS: readonly string[] = ['true', 'false', 'null'];

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const LOWER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Characters that may follow a backslash, besides u and four digits. */
const ESCAPES: ReadonlySet<number> = new Set(
  Array.from('"\\/bfnrt', (letter) => letter.charCodeAt(0)),
);

/** Shortens a text to at most 60 characters. */
export function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

/** A position in a JSON text. Call `check` first: the other methods assume valid JSON. */
export class JsonCursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param bytes the text; a Uint8Array of this realm, over any kind of memory */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Position of the next value. */
  get position(): number {
    this.#skipSpace();
    return this.#at;
  }

  set position(at: number) {
    this.#at = at;
  }

  /**
   * Checks that the text is UTF-8 and consists of one JSON value, surrounded by space.
   *
   * @throws CheckpointError with the reason `'utf8'`, or `'json'` (also if nested more than 128
   *   deep)
   */
  check(): void {
    checkUtf8(this.#bytes);
    this.#at = 0;
    this.#skipValue(0);
    this.#skipSpace();
    if (this.#at < this.#bytes.length) this.#fail('the end of the header');
    this.#at = 0;
  }

  /** Tells whether the next value starts with a character: is an object, an array or a string. */
  beginsWith(first: '{' | '[' | '"'): boolean {
    return this.#bytes[this.position] === first.charCodeAt(0);
  }

  /** Skips the next value. */
  skip(): void {
    this.#skipValue(0);
  }

  /**
   * Walks through the fields of the next value, an object.
   *
   * @param maxKeyBytes fields with a longer key (as it is written) are skipped
   * @param take reads or skips the value of a field
   */
  fields(maxKeyBytes: number, take: (key: string) => void): void {
    this.#skipSpace();
    this.#at++;
    this.#skipSpace();
    if (this.#take(CLOSE_OBJECT)) return;
    do {
      const begin = this.position;
      this.#skipString();
      const end = this.#at;
      const key = end - begin - 2 <= maxKeyBytes ? this.#text(begin, end) : null;
      this.#skipSpace();
      this.#at++;
      if (key === null) this.skip();
      else take(key);
      this.#skipSpace();
    } while (this.#take(COMMA));
    this.#at++;
  }

  /** Reads the next value, a string. @throws CheckpointError for an unpaired surrogate */
  string(): string {
    const begin = this.position;
    this.#skipString();
    return this.#text(begin, this.#at);
  }

  /**
   * Reads the next value if it is an array of integers in [0, 2^53 - 1], written as digits only.
   *
   * @param most the largest length to accept
   * @returns null for any other value
   */
  wholeNumbers(most: number): number[] | null {
    const numbers: number[] = [];
    if (this.#bytes[this.position] !== OPEN_ARRAY) return null;
    this.#at++;
    this.#skipSpace();
    if (this.#take(CLOSE_ARRAY)) return numbers;
    do {
      const value = this.#wholeNumber();
      if (value === null || numbers.length === most) return null;
      numbers.push(value);
      this.#skipSpace();
    } while (this.#take(COMMA));
    return this.#take(CLOSE_ARRAY) ? numbers : null;
  }

  /** Reads the next value and returns a short description for an error message. */
  describe(): string {
    const begin = this.position;
    if (this.#bytes[begin] === OPEN_OBJECT) {
      this.skip();
      return 'an object';
    }
    this.skip();
    const text = decode(this.#bytes.subarray(begin, Math.min(this.#at, begin + 300)));
    return shorten(text.replace(/\s+/g, ' ').replace(/,(?=[-\d])/g, ', '));
  }

  #skipValue(depth: number): void {
    this.#skipSpace();
    const first = this.#bytes[this.#at];
    if (first === QUOTE) this.#skipString();
    else if (first === OPEN_OBJECT) this.#skipList(depth, true);
    else if (first === OPEN_ARRAY) this.#skipList(depth, false);
    else this.#skipWordOrNumber();
  }

  #skipList(depth: number, isObject: boolean): void {
    if (depth === MAX_DEPTH) this.#fail(`at most ${MAX_DEPTH} levels`);
    const close = isObject ? CLOSE_OBJECT : CLOSE_ARRAY;
    this.#at++;
    this.#skipSpace();
    if (this.#take(close)) return;
    do {
      if (isObject) this.#skipKey();
      this.#skipValue(depth + 1);
      this.#skipSpace();
    } while (this.#take(COMMA));
    if (!this.#take(close)) this.#fail(isObject ? "',' or '}'" : "',' or ']'");
  }

  #skipKey(): void {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== QUOTE) this.#fail('a key');
    this.#skipString();
    this.#skipSpace();
    if (!this.#take(COLON)) this.#fail("':'");
  }

  #skipString(): void {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[++at]) {
      if (byte === undefined) this.#fail('a string that ends');
      if (byte === BACKSLASH) {
        const next = bytes[at + 1];
        if (next === undefined) this.#fail('a string that ends');
        if (next === LOWER_U && isHex(bytes, at + 2)) at += 5;
        else if (ESCAPES.has(next)) at++;
        else this.#fail('a string without control characters and unknown escapes');
      }
      if (byte < 0x20) this.#fail('a string without control characters and unknown escapes');
    }
    this.#at = at + 1;
  }

  #skipWordOrNumber(): void {
    for (const word of WORDS) if (this.#takeWord(word)) return;
    const begin = this.#at;
    let at = begin + (this.#bytes[begin] === MINUS ? 1 : 0);
    const whole = this.#endOfDigits(at);
    if (whole === at) this.#fail('a value');
    // A leading 0 is not followed by digits.
    at = this.#bytes[at] === ZERO ? at + 1 : whole;
    if (this.#bytes[at] === POINT) {
      const end = this.#endOfDigits(at + 1);
      if (end > at + 1) at = end;
    }
    if (((this.#bytes[at] ?? 0) | 0x20) === 0x65) {
      const sign = this.#bytes[at + 1];
      const digits = at + (sign === MINUS || sign === 0x2b ? 2 : 1);
      const end = this.#endOfDigits(digits);
      if (end > digits) at = end;
    }
    this.#at = at;
  }

  /** Reads an integer; returns null for any other value. */
  #wholeNumber(): number | null {
    const begin = this.position;
    const end = this.#endOfDigits(begin);
    if (end === begin || end - begin > MAX_DIGITS) return null;
    if (this.#bytes[begin] === ZERO && end - begin > 1) return null;
    let value = 0;
    for (let at = begin; at < end; at++) value = value * 10 + this.#bytes[at]! - ZERO;
    this.#at = end;
    return Number.isSafeInteger(value) ? value : null;
  }

  #endOfDigits(at: number): number {
    while (this.#bytes[at]! >= ZERO && this.#bytes[at]! <= NINE) at++;
    return at;
  }

  /** Decodes the string between two quotes. */
  #text(begin: number, end: number): string {
    const raw = this.#bytes.subarray(begin, end);
    if (!raw.includes(BACKSLASH)) return decode(raw.subarray(1, -1));
    const value: string = JSON.parse(decode(raw));
    if (LONE_SURROGATE.test(value)) {
      this.#at = begin;
      this.#fail('a string without unpaired surrogates');
    }
    return value;
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #takeWord(word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#at + i] !== word.charCodeAt(i)) return false;
    }
    this.#at += word.length;
    return true;
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09)
      at++;
    this.#at = at;
  }

  #fail(expected: string): never {
    const at = this.#at;
    const rest = this.#bytes.subarray(at, at + 12);
    const got = rest.length > 0 ? JSON.stringify(decode(rest)) : 'the end';
    throw new CheckpointError(
      'json',
      `safetensors header expected ${expected} at byte ${at}, got ${got}`,
    );
  }
}

function isHex(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i] ?? 0;
    const letter = byte | 0x20;
    if (!(byte >= ZERO && byte <= NINE) && !(letter >= 0x61 && letter <= 0x66)) return false;
  }
  return true;
}

/** Up to this length, building an ASCII string is faster than calling a decoder. */
const SHORT = 64;

function decode(bytes: Uint8Array): string {
  // Spreading the bytes would take twice as long.
  if (bytes.length <= SHORT && bytes.every((byte) => byte < 0x80))
    return String.fromCharCode.apply(null, bytes as unknown as number[]);
  // Copies the bytes, since decoders refuse shared memory.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array(bytes));
}

function checkUtf8(bytes: Uint8Array): void {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const piece = new Uint8Array(Math.min(UTF8_PIECE, bytes.length));
  try {
    for (let at = 0; at < bytes.length; at += UTF8_PIECE) {
      const part = bytes.subarray(at, at + UTF8_PIECE);
      piece.set(part);
      decoder.decode(piece.subarray(0, part.length), { stream: true });
    }
    decoder.decode();
  } catch (cause) {
    throw new CheckpointError('utf8', 'safetensors header expected UTF-8, got other bytes', {
      cause,
    });
  }
}
