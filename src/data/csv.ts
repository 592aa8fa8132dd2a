/**
 * Parsing of comma-separated text into a dataset: one column is the target, the others are numeric
 * features. The parser is strict: it does not guess, and does not fill in missing values.
 */
import { ArgumentError, DataError } from '../errors';
import { checkChoice, checkOptions, fail } from '../validate';
import { CsvCells, isBlurred, roundingOf } from './csv-cells';
import { isTextHeader, judgeHeader, type RecordsBelow } from './csv-header';
import { isDecimal, isInteger, isMissing, isNonFinite, parseDecimal } from './csv-numbers';
import { type CsvRecord, csvRecords } from './csv-records';
import {
  type Dataset,
  type DatasetBase,
  quote,
  type RegressionDataset,
  readNames,
} from './dataset';

/** Options of `parseCsv`. */
export interface CsvOptions {
  /**
   * Column of the target: its name in the header, or its index, counted from 0 (a negative index
   * counts from the end; -1 is the last column).
   */
  target: string | number;
  /**
   * Kind of target: the name of a class, or with 'regression' a number (`CsvRegressionOptions`).
   * @default 'classification'
   */
  task?: 'classification';
  /**
   * Whether the first record contains the column names. 'auto' decides by evidence and refuses the
   * text if the evidence is missing or contradictory; then set true or false.
   *
   * Evidence for names: `target` is a name; the features, or only the target, of the first record
   * are text; the record counts the columns from 0 (`0,1,2` or `label,1,2`); the record counts up
   * (`2019,2020,2021`), unlike the records below. Evidence for an example: its label occurs again,
   * a value lies within the range of its column, two fields are equal, or a number is not a plain
   * integer.
   * @default 'auto'
   */
  header?: 'auto' | boolean;
  /**
   * Names of the feature columns to read, in the order of the dataset, such as `columns` of the
   * training data. The header decides where they are; other columns are ignored. With
   * `header: false` they name all columns but the target, from left to right.
   * @default all columns but the target, in the order of the text
   */
  columns?: readonly string[];
  /**
   * Names of the classes, in the order of their indices, such as `classNames` of the training data.
   * Any other label is an error; a class may have no examples.
   * @default the distinct labels, sorted
   */
  classNames?: readonly string[];
  /**
   * Separator of fields: one character other than a quote or a line end.
   * @default ','
   */
  delimiter?: string;
  /**
   * Name of the dataset, also used in errors.
   * @default 'csv'
   */
  name?: string;
}

/** Options of `parseCsv` for a numeric target. */
export interface CsvRegressionOptions extends Omit<CsvOptions, 'task' | 'classNames'> {
  task: 'regression';
}

/** The most columns per text. */
const MAX_COLUMNS = 2 ** 18;
/** The most distinct labels per text. */
const MAX_CLASSES = 2 ** 17;

const KEYS = ['target', 'task', 'header', 'columns', 'classNames', 'delimiter', 'name'];

/**
 * Parses comma-separated text (RFC 4180) into a dataset, in linear time.
 *
 * Every column but the target must contain decimal numbers: digits with an optional sign, point and
 * exponent. Hexadecimal numbers, thousands separators, NaN and infinity are errors. `features` are
 * the numbers rounded to float32. If rounding moves a value by more than 2^-20 of its column's
 * range, `doubles` keeps the column in float64 as well, for `standardize`.
 *
 * Labels may be any text. The distinct labels are the classes, sorted by value if all are integers,
 * else by UTF-16 code unit, unless `classNames` gives the classes. To read a second file for the
 * same model, pass the names of the first: `{ target, columns: train.columns, classNames:
 * train.classNames }`.
 *
 * Spaces around fields and empty lines are ignored.
 *
 * @returns a dataset with `labels` and `classNames`, or with `task: 'regression'` one with
 *   `targets`; with `columns`, unless the text has no header and the option is not given
 * @throws DataError naming line and column, for:
 *   - malformed quotes, records of different length, no records, or no feature column
 *   - missing values (empty, ?, NA, N/A, null), text that is not a number, numbers beyond float32
 *   - labels that are not among `classNames`, or more than 131,072 distinct labels
 *   - a target or column name that the header does not have, or has twice
 *   - a first record that 'auto' cannot classify
 *   - targets of a regression that float32 makes equal
 *   - more than 262,144 columns
 * @throws ArgumentError for options out of range
 * @example
 * const text = 'width,height,kind\n1,2,cat\n3,4,dog\n';
 * parseCsv(text, { target: 'kind' }).classNames; // ['cat', 'dog']
 */
export function parseCsv(text: string, options: CsvOptions): Dataset;
export function parseCsv(text: string, options: CsvRegressionOptions): RegressionDataset;
export function parseCsv(
  text: string,
  options: CsvOptions | CsvRegressionOptions,
): Dataset | RegressionDataset {
  if (typeof text !== 'string') fail('text', 'a string', text);
  const checked = checkCsvOptions(options);
  let table: Table | undefined;
  let columnCount = MAX_COLUMNS;
  for (const record of csvRecords(text, checked.delimiter, checked.name, () => columnCount)) {
    if (table) table.add(record);
    else {
      table = new Table(record, checked);
      columnCount = record.fieldCount;
    }
  }
  if (!table) throw new DataError(`${checked.name}: expected at least one record, got none`);
  return table.finish();
}

interface CheckedOptions
  extends Required<Pick<CsvOptions, 'target' | 'header' | 'delimiter' | 'name'>> {
  task: 'classification' | 'regression';
  columns: string[] | undefined;
  classNames: string[] | undefined;
}

function checkCsvOptions(options: CsvOptions | CsvRegressionOptions): CheckedOptions {
  checkOptions('options', options, KEYS);
  const {
    target,
    task = 'classification',
    delimiter = ',',
    header = 'auto',
    name = 'csv',
  } = options;
  if (typeof target !== 'string' && !Number.isSafeInteger(target))
    fail('target', 'a column name or index', target);
  checkChoice('task', task, ['classification', 'regression']);
  if (typeof delimiter !== 'string' || !/^[^"\r\n]$/.test(delimiter))
    fail('delimiter', 'one character', delimiter);
  if (header !== 'auto' && typeof header !== 'boolean')
    fail('header', "'auto', true or false", header);
  if (header === false && typeof target === 'string')
    fail('target', 'a column index, as there is no header', target);
  if (typeof name !== 'string') fail('name', 'a string', name);
  const columns = options.columns === undefined ? undefined : readNames('columns', options.columns);
  const given = (options as CsvOptions).classNames;
  const classNames = given === undefined ? undefined : readNames('classNames', given);
  if (classNames && task === 'regression')
    fail('classNames', "nothing with task: 'regression'", classNames);
  if (typeof target === 'string' && columns?.includes(target))
    fail('columns', `names without the target's, ${quote(target)}`, columns);
  return { target, task, delimiter, header, name, columns, classNames };
}

/** Returns the index of the target among the fields. */
function findTarget(fields: readonly string[], target: string | number, place: string): number {
  if (typeof target === 'string') return findColumn(fields, target, place);
  const { length } = fields;
  if (target < -length || target >= length)
    throw new ArgumentError('target', `a column index in [${-length}, ${length - 1}]`, `${target}`);
  return target < 0 ? target + length : target;
}

function findColumn(names: readonly string[], name: string, place: string): number {
  const column = names.indexOf(name);
  if (column < 0)
    throw new DataError(
      `${place}: expected a column ${quote(name)}, got ${quote(names.join(', '))}`,
    );
  if (names.indexOf(name, column + 1) >= 0)
    throw new DataError(`${place}: expected one column ${quote(name)}, got several`);
  return column;
}

/** Returns the index of each named column, in linear time. */
function findColumns(
  names: readonly string[],
  wanted: readonly string[],
  target: number,
  place: string,
): number[] {
  const columnOf = new Map(names.map((name, column) => [name, column]));
  if (columnOf.size < names.length || wanted.some((name) => !columnOf.has(name))) {
    const counts = new Map<string, number>();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    const wrong = wanted.find((name) => counts.get(name) !== 1);
    if (wrong !== undefined) return [findColumn(names, wrong, place)];
  }
  return wanted.map((name) => {
    const column = columnOf.get(name)!;
    if (column === target) fail('columns', `names without the target's, ${quote(name)}`, wanted);
    return column;
  });
}

/** Collects and checks records. */
class Table {
  readonly #options: CheckedOptions;
  readonly #columnCount: number;
  readonly #target: number;
  /** Index of the field of each feature. */
  readonly #sources: ArrayLike<number>;
  /** The trimmed fields of the first record. */
  readonly #first: string[];
  readonly #firstLine: number;
  /** Whether the first record names the columns; null if that is not decided yet. */
  #hasHeader: boolean | null;
  /** The numbers of each record: its features, then the target of a regression. */
  readonly #cells: CsvCells;
  readonly #row: Float64Array;
  /** Code of each label, numbered in order of first occurrence. Excludes the first record. */
  #labels = new Int32Array(1024);
  #firstLabel = -1;
  readonly #codeOf: Map<string, number>;
  #countingUp = 0;

  constructor({ line, fields, fieldCount }: CsvRecord, options: CheckedOptions) {
    const { name, target, header, columns, task, classNames } = options;
    const place = `${name}, line ${line}`;
    if (fieldCount < 2)
      throw new DataError(`${place}: expected at least 2 columns, got ${fieldCount}`);
    if (fieldCount > MAX_COLUMNS)
      throw new DataError(`${place}: expected at most ${MAX_COLUMNS} columns, got ${fieldCount}`);
    this.#options = options;
    this.#columnCount = fieldCount;
    this.#first = fields.map((field) => field.trim());
    this.#firstLine = line;
    this.#target = findTarget(this.#first, target, place);
    const named = header === 'auto' && (typeof target === 'string' || columns !== undefined);
    this.#hasHeader =
      header === 'auto' ? named || isTextHeader(this.#first, this.#target) || null : header;
    this.#sources = this.#findSources(place);
    this.#row = new Float64Array(this.#sources.length + (task === 'regression' ? 1 : 0));
    this.#cells = new CsvCells(this.#row.length);
    this.#codeOf = new Map(classNames?.map((label, code) => [label, code]));
    if (this.#hasHeader === false) this.#cells.putFirst(this.#readFirst());
  }

  add({ line, fields, fieldCount }: CsvRecord): void {
    if (fieldCount !== this.#columnCount) {
      const place = `${this.#options.name}, line ${line}`;
      throw new DataError(`${place}: expected ${this.#columnCount} fields, got ${fieldCount}`);
    }
    for (let i = 0; i < fields.length; i++) fields[i] = fields[i]!.trim();
    const code = this.#read(line, fields);
    const index = this.#cells.rowCount;
    if (code >= 0) {
      if (index === this.#labels.length) {
        const larger = new Int32Array(2 * index);
        larger.set(this.#labels);
        this.#labels = larger;
      }
      this.#labels[index] = code;
    }
    if (this.#hasHeader === null && this.#isCountingUp(fields)) this.#countingUp++;
    this.#cells.add(this.#row);
  }

  finish(): Dataset | RegressionDataset {
    if (this.#hasHeader === null) this.#decideHeader();
    const { name, task, classNames, columns } = this.#options;
    const extra = this.#hasHeader ? 0 : 1;
    const count = this.#cells.rowCount + extra;
    if (count === 0)
      throw new DataError(`${name}: expected at least one record after the header, got none`);
    const featureCount = this.#sources.length;
    const examples: DatasetBase = {
      name,
      features: this.#cells.toFloat32(featureCount),
      count,
      featureCount,
    };
    if (columns) examples.columns = columns;
    else if (this.#hasHeader)
      examples.columns = Array.from(this.#sources, (column) => detached(this.#first[column]!));
    const doubles = this.#blurredColumns(count);
    if (doubles.size > 0) examples.doubles = doubles;
    if (task === 'regression') return { ...examples, targets: this.#readTargets(count) };
    // Labels are numbered in order of first occurrence, classes in the requested order.
    const found = [...this.#codeOf.keys()];
    const names = classNames ?? sortedClasses(found).map(detached);
    const classOf = new Map(names.map((label, index) => [label, index]));
    const classOfCode = Int32Array.from(found, (label) => classOf.get(label)!);
    const labels = new Int32Array(count);
    if (extra === 1) labels[0] = classOfCode[this.#firstLabel]!;
    for (let i = extra; i < count; i++) labels[i] = classOfCode[this.#labels[i - extra]!]!;
    return { ...examples, labels, classCount: names.length, classNames: names };
  }

  #findSources(place: string): ArrayLike<number> {
    const { columns } = this.#options;
    if (columns && this.#hasHeader !== false)
      return findColumns(this.#first, columns, this.#target, place);
    if (columns && columns.length !== this.#columnCount - 1) {
      const expected = `${columns.length} columns and the target`;
      throw new DataError(`${place}: expected ${expected}, got ${this.#columnCount} fields`);
    }
    return Uint32Array.from({ length: this.#columnCount - 1 }, (_, i) =>
      i < this.#target ? i : i + 1,
    );
  }

  /** Reads the numbers of a record into the row. Returns the code of its label, -1 without one. */
  #read(line: number, fields: readonly string[]): number {
    for (let i = 0; i < this.#sources.length; i++)
      this.#row[i] = this.#number(line, this.#sources[i]!, fields);
    const label = fields[this.#target]!;
    if (this.#options.task === 'regression') {
      this.#row[this.#sources.length] = this.#number(line, this.#target, fields);
      return -1;
    }
    if (isMissing(label)) throw this.#wrong(line, this.#target, 'a value', showMissing(label));
    const code = this.#codeOf.get(label);
    if (code !== undefined) return code;
    const { classNames } = this.#options;
    if (classNames)
      throw this.#wrong(
        line,
        this.#target,
        `one of the classes ${listOf(classNames)}`,
        quote(label),
      );
    const { size } = this.#codeOf;
    if (size === MAX_CLASSES) {
      throw this.#wrong(
        line,
        this.#target,
        `at most ${MAX_CLASSES} classes (task: 'regression' learns numbers)`,
        'more',
      );
    }
    this.#codeOf.set(label, size);
    return size;
  }

  #number(line: number, column: number, fields: readonly string[]): number {
    const field = fields[column]!;
    const x = parseDecimal(field);
    if (Number.isFinite(Math.fround(x))) return x;
    if (isMissing(field)) throw this.#wrong(line, column, 'a value', showMissing(field));
    if (isNonFinite(field)) throw this.#wrong(line, column, 'a finite number', quote(field));
    throw this.#wrong(
      line,
      column,
      Number.isNaN(x) ? 'a number' : 'a number within float32',
      quote(field),
    );
  }

  /** Reads the first record as an example. */
  #readFirst(): Float64Array {
    this.#firstLabel = this.#read(this.#firstLine, this.#first);
    return this.#row.slice();
  }

  #isCountingUp(fields: readonly string[]): boolean {
    const first = this.#row[0]! - this.#sources[0]!;
    for (let i = 1; i < this.#sources.length; i++)
      if (this.#row[i]! - this.#sources[i]! !== first) return false;
    const label = parseDecimal(fields[this.#target]!);
    return Number.isNaN(label) || label - this.#target === first;
  }

  #decideHeader(): void {
    const { name, task } = this.#options;
    const verdict = judgeHeader(this.#first, this.#target, this.#recordsBelow());
    if (verdict === 'unclear') {
      const record = quote(this.#first.join(', '));
      throw new DataError(
        `${name}, line ${this.#firstLine}: the first record, ${record}, may name the columns or ` +
          'be an example: set the option "header" to true or to false',
      );
    }
    this.#hasHeader = verdict === 'names';
    if (verdict === 'example') this.#cells.putFirst(this.#readFirst());
    else if (task === 'regression') this.#firstLabel = -1;
  }

  #recordsBelow(): RecordsBelow {
    const count = this.#cells.rowCount;
    const [low, high] = [new Float64Array(this.#columnCount), new Float64Array(this.#columnCount)];
    low.fill(Number.NaN);
    high.fill(Number.NaN);
    for (let i = 0; i < this.#row.length; i++) {
      const column = this.#sources[i] ?? this.#target;
      ({ low: low[column], high: high[column] } = roundingOf(this.#cells, i));
    }
    const code = this.#codeOf.get(this.#first[this.#target]!);
    let sameLabel = 0;
    if (code !== undefined)
      for (let i = 0; i < count; i++) if (this.#labels[i] === code) sameLabel++;
    const labels = [...this.#codeOf.keys()];
    const numericLabels = labels.every(isDecimal);
    return {
      count,
      countingUp: this.#countingUp,
      low,
      high,
      sameLabel,
      labelCount: labels.length,
      numericLabels,
    };
  }

  #blurredColumns(count: number): Map<number, Float64Array> {
    const doubles = new Map<number, Float64Array>();
    for (let i = 0; i < this.#sources.length; i++) {
      if (!isBlurred(roundingOf(this.#cells, i))) continue;
      const values = new Float64Array(count);
      this.#cells.visit(i, (x, row) => {
        values[row] = x;
      });
      doubles.set(i, values);
    }
    return doubles;
  }

  #readTargets(count: number): Float32Array {
    const index = this.#sources.length;
    const { changes, vanished } = roundingOf(this.#cells, index);
    if (2 * vanished > changes) {
      const title = this.#hasHeader ? ` (${quote(this.#first[this.#target]!)})` : '';
      const place = `${this.#options.name}, column ${this.#target + 1}${title}`;
      throw new DataError(
        `${place}: ${vanished} of ${changes} differences between consecutive records vanish in ` +
          'float32: subtract a constant from the targets, or scale them',
      );
    }
    const targets = new Float32Array(count);
    this.#cells.visit(index, (x, row) => {
      targets[row] = x;
    });
    return targets;
  }

  #wrong(line: number, column: number, expected: string, got: string): DataError {
    const title = this.#hasHeader ? ` (${quote(this.#first[column]!)})` : '';
    const place = `${this.#options.name}, line ${line}, column ${column + 1}${title}`;
    return new DataError(`${place}: expected ${expected}, got ${got}`);
  }
}

function sortedClasses(labels: readonly string[]): string[] {
  const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const integers = labels.every(isInteger);
  return [...labels].sort(integers ? (a, b) => Number(a) - Number(b) || byText(a, b) : byText);
}

/** Returns a copy of a substring that does not keep the whole text in memory. */
function detached(part: string): string {
  const pieces: string[] = [];
  for (let at = 0; at < part.length; at += 4096)
    pieces.push(JSON.parse(JSON.stringify(part.slice(at, at + 4096))));
  return pieces.join('');
}

function showMissing(field: string): string {
  return field === '' ? 'an empty field' : quote(field);
}

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(quote).join(', ');
  return names.length > 8 ? `${shown}, … (${names.length} in all)` : shown;
}
