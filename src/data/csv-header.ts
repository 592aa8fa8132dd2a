/**
 * Whether the first record of a CSV file names the columns, by evidence alone.
 *
 *     names      a feature is text, while no number beside it speaks for an example
 *                the target is text, while that of every other record is a number
 *                every number is the index of its own column (0,1,2 or label,1,2), and hardly any other record counts up
 *                the numbers count up (2019,2020,2021), hardly any other record does, and nothing speaks for an example
 *     example    a field is missing; two fields are equal; the label occurs again below; a feature lies within the range of its column;
 *                a feature has a sign, a point or an exponent, and the record does not ascend over at least three numbers
 *     unclear    all else
 */
import { isDecimal, isDigits, isMissing, isNonFinite } from './csv-numbers';

/** What the records after the first are like. */
export interface RecordsBelow {
  readonly count: number;
  /** Those in which every number is one more than that of the column before. */
  readonly countingUp: number;
  /** Smallest and largest value of each column; NaN for the target of a classification. */
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
  /** How often the first record's label occurs in them. */
  readonly sameLabel: number;
  /** Different labels. */
  readonly labelCount: number;
  /** Whether all labels are numbers. */
  readonly numericLabels: boolean;
}

/** Judges the first record by itself: whether there is no need to look at those below. */
export function isTextHeader(fields: readonly string[], target: number): boolean {
  return fields.every((field, column) => column === target || isText(field));
}

/** Judges the first record by those below. */
export function judgeHeader(
  fields: readonly string[],
  target: number,
  below: RecordsBelow,
): 'names' | 'example' | 'unclear' {
  const features = fields.filter((_, column) => column !== target);
  const numeric = fields.every((field, column) => column === target || !isText(field));
  const example = speaksForExample(fields, target, below);
  if (!numeric) return example && features.some(isDecimal) ? 'unclear' : 'names';
  if (isText(fields[target]!) && below.numericLabels && below.count > 0) return 'names';
  if (features.some((field) => isMissing(field) || isNonFinite(field))) return 'example';
  if (!countsUp(fields, target, below)) return example ? 'example' : 'unclear';
  if (20 * below.countingUp > below.count) return 'unclear';
  const label = fields[target]!;
  if (isText(label) && (below.sameLabel > 0 || below.labelCount === below.count))
    return example ? 'example' : 'unclear';
  const ownIndices = fields.every((field, column) => isText(field) || Number(field) === column);
  return ownIndices || !example ? 'names' : 'unclear';
}

/**
 * Whether each field is one more than the field before it: at least three of them, the text of a
 * label counted in.
 */
function countsUp(fields: readonly string[], target: number, { count }: RecordsBelow): boolean {
  if (fields.length < 3 || count === 0) return false;
  let first: number | undefined;
  return fields.every((field, column) => {
    if (column === target && isText(field)) return true;
    if (!isDigits(field)) return false;
    first ??= Number(field) - column;
    return Number(field) - column === first;
  });
}

function speaksForExample(
  fields: readonly string[],
  target: number,
  { count, low, high, sameLabel }: RecordsBelow,
): boolean {
  if (count === 0) return false;
  if (sameLabel > 0 || new Set(fields).size < fields.length) return true;
  const numbers = fields.filter(isDecimal).map(Number);
  const ascends = numbers.length >= 3 && numbers.every((x, i) => i === 0 || x > numbers[i - 1]!);
  return fields.some((field, column) => {
    if (!isDecimal(field)) return false;
    if (low[column]! <= Number(field) && Number(field) <= high[column]!) return true;
    return column !== target && !isDigits(field) && !ascends;
  });
}

function isText(field: string): boolean {
  return !isDecimal(field) && !isMissing(field) && !isNonFinite(field);
}
