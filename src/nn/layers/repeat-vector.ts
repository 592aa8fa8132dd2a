/** Repetition of a sample's features over steps. */
import { ArgumentError } from '../../errors';
import { checkInteger, checkNoMore, describe } from '../../validate';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';

/** The description of a repetition: y[t] = x for all t < times. */
export interface RepeatVectorLayer {
  readonly kind: 'repeatVector';
  /** Number of steps, an integer in [1, 2^24]. */
  readonly times: number;
}

/**
 * Describes the repetition of features over steps: [features] → [times, features].
 *
 * @param times number of steps, an integer in [1, 2^24]
 * @throws ArgumentError for other numbers
 * @example sequential([dense(8), repeatVector(5), dense(3)])
 */
export function repeatVector(times: number): RepeatVectorLayer;
export function repeatVector(times: number, ...extra: unknown[]): RepeatVectorLayer {
  checkNoMore('repeatVector(times)', extra, 'its size is that of the layer before');
  return checked(kind, { kind: 'repeatVector', times });
}

const kind: LayerKind<RepeatVectorLayer> = {
  kind: 'repeatVector',
  prefix: 'repeatVector',
  fields: ['times'],
  check({ times }, nameOf) {
    checkInteger(nameOf('times'), times, 1, MAX_UNITS);
  },
  plan({ times }, input, path) {
    if (input.length !== 1) throw new ArgumentError(path, 'features [features]', describe(input));
    const [features] = input;
    return {
      ...PLAIN,
      output: [times, features],
      forward({ x, y }, { kernels, count }) {
        kernels.repeatRows(y, x, count, times, features);
      },
      backward({ dx, dy }, { kernels, count }) {
        if (dx) kernels.repeatRowsGrad(dx, dy, count, times, features);
      },
    };
  },
};

export default kind;
