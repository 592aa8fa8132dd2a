/** Defaults and ranges as the doc comments of the built declarations state them. */
import ts from 'typescript';

/** An option as its doc comment describes it. */
export interface DocumentedOption {
  readonly name: string;
  /** What follows `@default`; undefined without one. */
  readonly defaultText: string | undefined;
  /** The default as a value; undefined for the word `none`. */
  readonly default: unknown;
  /** Whether `default` could be read. */
  readonly hasDefault: boolean;
  readonly ranges: readonly Range[];
  /** Whether it takes numbers. */
  readonly numeric: boolean;
  /** Whether it takes pairs of numbers. */
  readonly pair: boolean;
  readonly optional: boolean;
}

/** An interval in the text: `[0, 2^64)`. */
export interface Range {
  readonly text: string;
  readonly low: number;
  readonly high: number;
  readonly includesLow: boolean;
  readonly includesHigh: boolean;
  /** Whether "integer" stands before it. */
  readonly integer: boolean;
  /** Whether "0 or" stands before it. */
  readonly orZero: boolean;
  /** Of a pair: which number it is of, as "β1 in" says; null for both. */
  readonly component: 0 | 1 | null;
}

const INTERVAL = /([[(])([^[\](),]+), ([^[\](),]+)([\])])/g;
const NUMBER = /^-?(∞|[\d.]+(e-?\d+)?(\^-?\d+)?)( - [\d.]+(e-?\d+)?(\^-?\d+)?)?$/;

/** The value of `1 - 2^-25`, `3.4e38`, `∞`; undefined for anything else. */
function numberOf(text: string): number | undefined {
  const plain = text.trim().replace('−', '-');
  if (!NUMBER.test(plain)) return undefined;
  const term = (part: string): number => {
    if (part.endsWith('∞')) return part.startsWith('-') ? -Infinity : Infinity;
    const [base, exponent = '1'] = part.split('^');
    return Number(base) ** Number(exponent);
  };
  const [first, ...others] = plain.split(' - ');
  return others.reduce((sum, part) => sum - term(part), term(first));
}

/** The intervals that a text names. */
export function rangesIn(text: string): Range[] {
  const plain = text.replace(/\s+/g, ' ');
  return [...plain.matchAll(INTERVAL)].flatMap((match) => {
    const [low, high] = [numberOf(match[2]), numberOf(match[3])];
    if (low === undefined || high === undefined) return [];
    const before = plain.slice(Math.max(0, match.index - 40), match.index);
    return [
      {
        text: match[0],
        low,
        high,
        includesLow: match[1] === '[',
        includesHigh: match[4] === ']',
        integer: /integers? in $/.test(before),
        orZero: /\b0 or (a number )?in $/.test(before),
        component: /β1 in $/.test(before) ? 0 : /β2 in $/.test(before) ? 1 : null,
      },
    ];
  });
}

/** A literal of the text after `@default`. */
function literal(text: string): { read: boolean; value?: unknown } {
  if (text === 'none') return { read: true, value: undefined };
  try {
    return { read: true, value: JSON.parse(text.replaceAll("'", '"')) };
  } catch {
    return { read: false };
  }
}

/** The options that an interface, or any other object type, declares. */
export function documentedOptions(checker: ts.TypeChecker, type: ts.Type): DocumentedOption[] {
  return checker.getPropertiesOfType(type).map((property) => {
    const tags = property.getJsDocTags(checker).filter(({ name }) => name === 'default');
    const defaultText = tags[0] && ts.displayPartsToString(tags[0].text).trim();
    const { read, value } =
      defaultText === undefined ? { read: false, value: undefined } : literal(defaultText);
    const own = checker.getNonNullableType(checker.getTypeOfSymbol(property));
    const kinds = own.isUnion() ? own.types : [own];
    return {
      name: property.name,
      defaultText,
      default: value,
      hasDefault: read,
      ranges: rangesIn(ts.displayPartsToString(property.getDocumentationComment(checker))),
      numeric: kinds.some((kind) => kind.flags & ts.TypeFlags.NumberLike),
      pair: kinds.some((kind) => checker.isTupleType(kind)),
      optional: Boolean(property.flags & ts.SymbolFlags.Optional),
    };
  });
}

/** The floats beside a number. */
function neighbour(x: number, direction: 1 | -1): number {
  if (x === 0) return direction * Number.MIN_VALUE;
  const bits = new BigInt64Array(1);
  const floats = new Float64Array(bits.buffer);
  floats[0] = x;
  bits[0] += x > 0 === direction > 0 ? 1n : -1n;
  return floats[0];
}

/** Numbers at the ends of a range: just inside, and just outside. */
export function endsOf({ low, high, includesLow, includesHigh, integer, orZero }: Range): {
  inside: number[];
  outside: number[];
} {
  const beside = (x: number, direction: 1 | -1) =>
    integer ? x + direction : neighbour(x, direction);
  const inside = [
    includesLow ? low : beside(low, 1),
    includesHigh ? high : high === Infinity ? Number.MAX_VALUE : beside(high, -1),
  ];
  const outside = [includesLow ? beside(low, -1) : low, includesHigh ? beside(high, 1) : high];
  if (orZero) inside.push(0);
  return {
    inside: inside.filter(Number.isFinite),
    outside: outside.filter((x) => !Number.isNaN(x)),
  };
}
