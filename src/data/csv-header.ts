/**
 * Decides by evidence whether the first record of a CSV file names the columns.
 *
 *     names      - a feature is text, and none of the numbers beside it suggests an example
 *                - the target is text, and the target of every other record is a number
 *                - every number is the index of its column (0,1,2 or label,1,2), and hardly any
 *                  other record counts up
 *                - the numbers count up (2019,2020,2021), hardly any other record does, and nothing
 *                  suggests an example
 *     example    - a field is missing
 *                - two fields are equal
 *                - the label occurs again below
 *                - a feature lies within the range of its column
 *                - a feature has a sign, a point or an exponent, and the record does not ascend
 *                  over at least three numbers
 *     unclear    anything else
 */
import { isDecimal, isDigits, isMissing, isNonFinite } from './csv-numbers';

/** Summary of the records after the first. */
export interface RecordsBelow {
  readonly count: number;
  /** Number of records in which every number is one more than the number before it. */
  readonly countingUp: number;
  /** Smallest value of each column; NaN for the target of a classification. */
  readonly low: ArrayLike<number>;
  /** Largest value of each column; NaN for the target of a classification. */
  readonly high: ArrayLike<number>;
  /** How often the label of the first record occurs in them. */
  readonly sameLabel: number;
  /** Number of distinct labels. */
  readonly labelCount: number;
  /** Whether all labels are numbers. */
  readonly numericLabels: boolean;
}

/** Tells whether the first record is a header regardless of the records below it. */
export function isTextHeader(fields: readonly string[], target: number): boolean {
  return fields.every((field, column) => column === target || isText(field));
}

/** Classifies the first record by comparing it with those below it. */
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
 * Tells whether each field is one more than the field before it. Needs at least three fields; a
 * label that is text counts as one.
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
