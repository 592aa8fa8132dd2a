/** Exponential linear unit (Clevert, Unterthiner and Hochreiter 2016). */
import { checkNoMore, checkNumber } from '../../validate';
import { planActivation } from './activation';
import { checked, type LayerKind } from './layer';

/** The description of the exponential linear unit: y = x for x > 0, alpha·(e^x - 1) below. */
export interface EluLayer {
  readonly kind: 'elu';
  /** Limit of y for very negative x, negated, in [0, 2^64). @default 1 */
  readonly alpha?: number;
}

/**
 * Describes the exponential linear unit: y = x for x > 0, alpha·(e^x - 1) below; NaN passes.
 *
 * @param alpha limit of y for very negative x, negated, in [0, 2^64). @default 1
 * @throws ArgumentError for other numbers
 * @example sequential([dense(64), elu(), dense(10)])
 */
export function elu(alpha?: number): EluLayer;
export function elu(alpha: number = 1, ...extra: unknown[]): EluLayer {
  checkNoMore('elu(alpha)', extra, 'it has no other options');
  return checked(kind, { kind: 'elu', alpha });
}

const kind: LayerKind<EluLayer> = {
  kind: 'elu',
  prefix: 'elu',
  fields: ['alpha'],
  check({ alpha = 1 }, nameOf) {
    checkNumber(nameOf('alpha'), alpha, '[0, 2^64)', (value) => value >= 0 && value < 2 ** 64);
  },
  plan: ({ alpha = 1 }, input) =>
    planActivation(
      input,
      'output',
      (kernels, y, x, n) => kernels.elu(y, x, n, alpha),
      (kernels, dx, dy, kept, n) => kernels.eluGrad(dx, dy, kept, n, alpha),
    ),
};

export default kind;
