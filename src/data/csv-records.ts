/**
 * Splits comma-separated text (RFC 4180) into records, one at a time.
 */
import { DataError } from '../errors';

/** One record. The reader reuses the object for the next record, so copy what you keep. */
export interface CsvRecord {
  /** Line on which the record starts, counted from 1. */
  line: number;
  /** The first fields, up to the limit given to `csvRecords`. */
  readonly fields: string[];
  /** Number of all fields. */
  fieldCount: number;
}

/**
 * Yields the records of a text, in linear time and with memory for the kept fields of one record.
 * Lines end with LF, CR LF or CR. Empty lines and a byte order mark are skipped.
 *
 * A field that starts with a double quote ends with one. It may contain delimiters and line ends,
 * and a quote in it is doubled.
 *
 * @param text the whole file
 * @param delimiter one character
 * @param name what errors call the file
 * @param limit returns how many fields of the next record to keep; the others are only counted
 * @throws DataError naming the line, for a quote inside an unquoted field, text after a closing
 *   quote, or a missing closing quote
 */
export function* csvRecords(
  text: string,
  delimiter: string,
  name: string,
  limit: () => number,
): Generator<CsvRecord> {
  const record: CsvRecord = { line: 1, fields: [], fieldCount: 0 };
  const stop = delimiter.charCodeAt(0);
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    record.line = line;
    record.fields.length = 0;
    record.fieldCount = 0;
    const [begin, kept] = [at, limit()];
    for (;;) {
      const quoted = text.charCodeAt(at) === QUOTE;
      const end = quoted
        ? endOfQuoted(text, at, name, line)
        : endOfPlain(text, at, stop, name, line);
      if (record.fieldCount++ < kept)
        record.fields.push(quoted ? unquoted(text, at, end) : text.slice(at, end));
      if (quoted) line += lineEndsIn(text, at, end);
      at = end;
      if (text.charCodeAt(at) !== stop) break;
      at++;
    }
    const empty = at === begin;
    if (at < text.length) {
      if (!isLineEnd(text.charCodeAt(at))) {
        const got = JSON.stringify(text[at]);
        throw new DataError(
          `${name}, line ${line}: expected a delimiter after a closing quote, got ${got}`,
        );
      }
      at += text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF ? 2 : 1;
      line++;
    }
    if (!empty) yield record;
  }
}

const QUOTE = 34;
const LF = 10;
const CR = 13;

/** Returns the index after an unquoted field. */
function endOfPlain(text: string, begin: number, stop: number, name: string, line: number): number {
  for (let at = begin; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === stop || isLineEnd(code)) return at;
    if (code === QUOTE) {
      throw new DataError(
        `${name}, line ${line}: expected no quote inside an unquoted field, got one`,
      );
    }
  }
  return text.length;
}

/** Index after the closing quote of the field whose opening quote stands at `begin`. */
function endOfQuoted(text: string, begin: number, name: string, line: number): number {
  let at = begin + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0)
      throw new DataError(
        `${name}, line ${line}: expected a closing quote, got the end of the text`,
      );
    at = quote + 1;
    if (text.charCodeAt(at) !== QUOTE) return at;
    at++;
  }
}

function unquoted(text: string, begin: number, end: number): string {
  const value = text.slice(begin + 1, end - 1);
  return value.includes('"') ? value.replace(/""/g, '"') : value;
}

function lineEndsIn(text: string, begin: number, end: number): number {
  let count = 0;
  for (let at = begin; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === LF || (code === CR && text.charCodeAt(at + 1) !== LF)) count++;
  }
  return count;
}

function isLineEnd(code: number): boolean {
  return code === LF || code === CR;
}
