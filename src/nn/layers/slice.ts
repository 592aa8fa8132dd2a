/** A part of each sample along its first axis. */
import { ArgumentError } from '../../errors';
import { elementCount } from '../../math/shape';
import { checkInteger, checkNoMore, describe } from '../../validate';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';

/** The description of a slice of the first axis: y = x[begin], …, x[end - 1]. */
export interface SliceLayer {
  readonly kind: 'slice';
  /** First index; negative ones count from the end. */
  readonly begin: number;
  /** Index after the last; negative ones count from the end. @default the size of the axis */
  readonly end?: number;
}

/**
 * Describes a slice of the first axis of each sample (steps, rows or features), with indices as
 * those of `Array.prototype.slice`: `slice(-1)` is the last step.
 *
 * @param begin first index, an integer in [-2^24, 2^24]; negative ones count from the end
 * @param end index after the last, likewise. @default the size of the axis
 * @throws ArgumentError for other indices
 * @example
 * const all = input('x', [32, 8]).apply(gru(16, { returnSequences: true, returnState: true }));
 * const [steps, state] = [all.apply(slice(0, -1)), all.apply(slice(-1))];
 */
export function slice(begin: number, end?: number): SliceLayer;
export function slice(begin: number, end?: number, ...extra: unknown[]): SliceLayer {
  checkNoMore('slice(begin, end)', extra, 'the other axes stay whole');
  return checked(kind, { kind: 'slice', begin, ...(end !== undefined && { end }) });
}

const kind: LayerKind<SliceLayer> = {
  kind: 'slice',
  prefix: 'slice',
  fields: ['begin', 'end'],
  check({ begin, end }, nameOf) {
    checkInteger(nameOf('begin'), begin, -MAX_UNITS, MAX_UNITS);
    if (end !== undefined) checkInteger(nameOf('end'), end, -MAX_UNITS, MAX_UNITS);
  },
  plan({ begin, end }, input, path) {
    const [size, ...rest] = input;
    const at = (index: number) => Math.min(Math.max(index < 0 ? size + index : index, 0), size);
    const first = at(begin);
    const rows = at(end ?? size) - first;
    if (rows < 1)
      throw new ArgumentError(path, 'an input that has indices of the slice', describe(input));
    const row = elementCount(rest);
    const [whole, part] = [size * row, rows * row];
    return {
      ...PLAIN,
      output: [rows, ...rest],
      forward({ x, y }, { kernels, count }) {
        kernels.copyColumns(y, part, x + 4 * first * row, whole, part, count);
      },
      backward({ dx, dy }, { kernels, count }) {
        if (dx === 0) return;
        kernels.fill(dx, 0, count * whole);
        kernels.copyColumns(dx + 4 * first * row, whole, dy, part, part, count);
      },
    };
  },
};

export default kind;
