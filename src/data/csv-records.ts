/** The records of comma-separated text after RFC 4180, one at a time, with the line each begins on. */
import { DataError } from '../errors';

/** One record. */
export interface CsvRecord {
  /** The line it begins on, from 1. */
  line: number;
  fields: string[];
}

/**
 * Yields the records of `text`. Lines end with LF, CR LF or CR; empty lines are left out; a byte order mark is skipped.
 *
 * A field that begins with a double quote ends with one, may hold delimiters and line ends, and writes a quote as two.
 *
 * @param text the whole file
 * @param delimiter one character
 * @param name what errors call the file
 * @throws DataError naming the line: a quote inside an unquoted field, text after a closing quote, a quote never closed
 */
export function* csvRecords(text: string, delimiter: string, name: string): Generator<CsvRecord> {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const record: CsvRecord = { line, fields: [] };
    const begin = at;
    for (;;) {
      const field = text[at] === '"' ? quotedField(text, at, name, line) : plainField(text, at, delimiter, name, line);
      record.fields.push(field.value);
      at = field.end;
      line += field.lineEnds;
      if (text[at] !== delimiter) break;
      at++;
    }
    const empty = at === begin;
    if (at < text.length) {
      if (!isLineEnd(text, at))
        throw new DataError(`${name}, line ${line}: expected a delimiter after a closing quote, got ${JSON.stringify(text[at])}`);
      at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
      line++;
    }
    if (!empty) yield record;
  }
}

interface Field {
  value: string;
  /** Index of the delimiter or line end after it. */
  end: number;
  /** Line ends inside it. */
  lineEnds: number;
}

function plainField(text: string, begin: number, delimiter: string, name: string, line: number): Field {
  let end = begin;
  while (end < text.length && text[end] !== delimiter && !isLineEnd(text, end)) {
    if (text[end] === '"') throw new DataError(`${name}, line ${line}: expected no quote inside an unquoted field, got one`);
    end++;
  }
  return { value: text.slice(begin, end), end, lineEnds: 0 };
}

function quotedField(text: string, begin: number, name: string, line: number): Field {
  let value = '';
  let at = begin + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new DataError(`${name}, line ${line}: expected a closing quote, got the end of the text`);
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    value += '"';
    at++;
  }
  return { value, end: at, lineEnds: value.match(/\r\n|\r|\n/g)?.length ?? 0 };
}

function isLineEnd(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 10 || code === 13;
}
