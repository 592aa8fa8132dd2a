/** Comma-separated text → a dataset: numbers as features, one column as the label. Strict: nothing is guessed or filled in. */
import { ArgumentError, DataError } from '../errors';
import { checkOptions, fail } from '../validate';
import { type CsvRecord, csvRecords } from './csv-records';
import type { Dataset } from './dataset';

/** Options of `parseCsv`. */
export interface CsvOptions {
  /** The column that holds the label: its name in the header, or its index from 0 (negative: from the end, -1 the last). */
  target: string | number;
  /**
   * What parts the fields: one character, neither a quote nor a line end.
   * @default ','
   */
  delimiter?: string;
  /**
   * Whether the first record names the columns. 'auto': it does when `target` is a name, or when one of its fields other than the
   * target is neither a number nor a missing value.
   * @default 'auto'
   */
  header?: 'auto' | boolean;
  /**
   * The dataset's name, also in errors.
   * @default 'csv'
   */
  name?: string;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;
const MISSING = /^(|\?|na|n\/a|null)$/i;
const NON_FINITE = /^[+-]?(nan|inf|infinity)$/i;

/**
 * Reads comma-separated text (RFC 4180) into a dataset.
 *
 * Every column but the target must hold decimal numbers, which are rounded to float32. Labels are any text: the distinct ones,
 * sorted (by value if all are integers, else by UTF-16 code unit), are the classes. Spaces around fields do not count; empty
 * lines are left out.
 *
 * @throws DataError naming line and column: malformed quotes, records of different length, missing values (empty, ?, NA, N/A,
 *   null), text that is no number, numbers beyond float32; no records; no feature column; an unknown or ambiguous target name
 * @throws ArgumentError for options out of range
 * @example
 * parseCsv('width,height,kind\n1,2,cat\n3,4,dog\n', { target: 'kind' }).classNames // ['cat', 'dog']
 */
export function parseCsv(text: string, options: CsvOptions): Dataset {
  checkOptions('options', options, ['target', 'delimiter', 'header', 'name']);
  const { target, delimiter = ',', header = 'auto', name = 'csv' } = options;
  if (typeof text !== 'string') fail('text', 'a string', text);
  if (typeof target !== 'string' && !Number.isSafeInteger(target)) fail('target', 'a column name or index', target);
  if (typeof delimiter !== 'string' || !/^[^"\r\n]$/.test(delimiter)) fail('delimiter', 'one character', delimiter);
  if (header !== 'auto' && typeof header !== 'boolean') fail('header', "'auto', true or false", header);
  if (header === false && typeof target === 'string') fail('target', 'a column index, as there is no header', target);

  const records = csvRecords(text, delimiter, name);
  const first = records.next();
  if (first.done) throw new DataError(`${name}: expected at least one record, got none`);
  const columnCount = first.value.fields.length;
  if (columnCount < 2) throw new DataError(`${name}, line ${first.value.line}: expected at least 2 columns, got ${columnCount}`);
  const targetColumn = findTarget(first.value, target, name);
  const hasHeader = header === 'auto' ? typeof target === 'string' || looksLikeHeader(first.value, targetColumn) : header;
  const table = new Table(name, columnCount, targetColumn, hasHeader ? first.value.fields : undefined);
  if (!hasHeader) table.add(first.value);
  for (const record of records) table.add(record);
  return table.finish();
}

function findTarget(first: CsvRecord, target: string | number, name: string): number {
  const columns = first.fields.length;
  if (typeof target === 'number') {
    if (target < -columns || target >= columns)
      throw new ArgumentError('target', `a column index in [${-columns}, ${columns - 1}]`, `${target}`);
    return target < 0 ? target + columns : target;
  }
  const names = first.fields.map((field) => field.trim());
  const column = names.indexOf(target);
  const place = `${name}, line ${first.line}`;
  if (column < 0) throw new DataError(`${place}: expected a column ${show(target)}, got ${show(names.join(', '))}`);
  if (names.indexOf(target, column + 1) >= 0) throw new DataError(`${place}: expected one column ${show(target)}, got several`);
  return column;
}

function looksLikeHeader(first: CsvRecord, targetColumn: number): boolean {
  return first.fields.some((field, column) => {
    const value = field.trim();
    return column !== targetColumn && !NUMBER.test(value) && !MISSING.test(value) && !NON_FINITE.test(value);
  });
}

/** Collects checked records. */
class Table {
  readonly #name: string;
  readonly #columnCount: number;
  readonly #targetColumn: number;
  readonly #header: string[] | undefined;
  /** Grows by doubling: the number of records is not known before the end. */
  #features = new Float32Array(1024);
  #used = 0;
  readonly #labels: string[] = [];

  constructor(name: string, columnCount: number, targetColumn: number, header: string[] | undefined) {
    this.#name = name;
    this.#columnCount = columnCount;
    this.#targetColumn = targetColumn;
    this.#header = header;
  }

  add({ line, fields }: CsvRecord): void {
    if (fields.length !== this.#columnCount) {
      throw new DataError(`${this.#name}, line ${line}: expected ${this.#columnCount} fields, got ${fields.length}`);
    }
    for (let column = 0; column < fields.length; column++) {
      const value = fields[column]!.trim();
      if (MISSING.test(value)) throw this.#wrong(line, column, 'a value', value === '' ? 'an empty field' : show(value));
      if (column === this.#targetColumn) this.#labels.push(value);
      else this.#push(this.#number(value, line, column));
    }
  }

  finish(): Dataset {
    const count = this.#labels.length;
    if (count === 0) throw new DataError(`${this.#name}: expected at least one record after the header, got none`);
    const classNames = sortedClasses(this.#labels);
    const classOf = new Map(classNames.map((label, index) => [label, index]));
    return {
      name: this.#name,
      features: this.#features.slice(0, this.#used),
      labels: Int32Array.from(this.#labels, (label) => classOf.get(label)!),
      count,
      featureCount: this.#columnCount - 1,
      classCount: classNames.length,
      classNames,
    };
  }

  #number(value: string, line: number, column: number): number {
    if (NON_FINITE.test(value)) throw this.#wrong(line, column, 'a finite number', show(value));
    if (!NUMBER.test(value)) throw this.#wrong(line, column, 'a number', show(value));
    const x = Math.fround(Number(value));
    if (!Number.isFinite(x)) throw this.#wrong(line, column, 'a number within float32', show(value));
    return x;
  }

  #push(x: number): void {
    if (this.#used === this.#features.length) {
      const larger = new Float32Array(2 * this.#used);
      larger.set(this.#features);
      this.#features = larger;
    }
    this.#features[this.#used++] = x;
  }

  #wrong(line: number, column: number, expected: string, got: string): DataError {
    const title = this.#header ? ` (${show(this.#header[column]!.trim())})` : '';
    return new DataError(`${this.#name}, line ${line}, column ${column + 1}${title}: expected ${expected}, got ${got}`);
  }
}

function sortedClasses(labels: string[]): string[] {
  const classes = [...new Set(labels)];
  const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const integers = classes.every((label) => INTEGER.test(label));
  return classes.sort(integers ? (a, b) => Number(a) - Number(b) || byText(a, b) : byText);
}

function show(text: string): string {
  return JSON.stringify(text.length > 60 ? text.slice(0, 60) + '…' : text);
}
