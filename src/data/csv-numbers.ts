/**
 * Classification of CSV fields: decimal numbers, missing values, text. Every function reads a field
 * once, from left to right.
 */

const [PLUS, MINUS, POINT, ZERO, NINE, UPPER_E, LOWER_E] = [43, 45, 46, 48, 57, 69, 101];
const MISSING = /^(|\?|na|n\/a|null)$/i;
const NON_FINITE = /^[+-]?(nan|inf|infinity)$/i;

/** Tells whether the field stands for a missing value: empty, ?, NA, N/A or null. */
export function isMissing(field: string): boolean {
  return field.length <= 4 && MISSING.test(field);
}

/** Tells whether the field spells NaN or infinity. */
export function isNonFinite(field: string): boolean {
  return field.length <= 9 && NON_FINITE.test(field);
}

/**
 * Returns the double nearest to a decimal number: digits with an optional sign, point and exponent.
 * Returns NaN for anything else, hexadecimal numbers and thousands separators included; ±Infinity
 * for numbers beyond double range.
 */
export function parseDecimal(field: string): number {
  return isDecimal(field) ? Number(field) : Number.NaN;
}

/** Tells whether the field is a decimal number. */
export function isDecimal(field: string): boolean {
  let at = isSign(field.charCodeAt(0)) ? 1 : 0;
  const whole = afterDigits(field, at);
  let digits = whole - at;
  at = whole;
  if (field.charCodeAt(at) === POINT) {
    const fraction = afterDigits(field, at + 1);
    digits += fraction - at - 1;
    at = fraction;
  }
  if (digits === 0) return false;
  const letter = field.charCodeAt(at);
  if (letter === UPPER_E || letter === LOWER_E) {
    at += isSign(field.charCodeAt(at + 1)) ? 2 : 1;
    const end = afterDigits(field, at);
    if (end === at) return false;
    at = end;
  }
  return at === field.length;
}

/** Tells whether the field consists of digits. */
export function isDigits(field: string): boolean {
  return field.length > 0 && afterDigits(field, 0) === field.length;
}

/** Tells whether the field is an integer: digits with an optional sign. */
export function isInteger(field: string): boolean {
  return isDigits(isSign(field.charCodeAt(0)) ? field.slice(1) : field);
}

function isSign(code: number): boolean {
  return code === PLUS || code === MINUS;
}

function afterDigits(field: string, begin: number): number {
  let at = begin;
  for (; at < field.length; at++) {
    const code = field.charCodeAt(at);
    if (code < ZERO || code > NINE) break;
  }
  return at;
}
