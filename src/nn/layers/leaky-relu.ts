/** Leaky rectified linear unit. */
import { checkNoMore, checkNumber } from '../../validate';
import { planActivation } from './activation';
import { checked, type LayerKind } from './layer';

/** The description of the leaky rectified linear unit: y = x for x ≥ 0, slope·x below. */
export interface LeakyReluLayer {
  readonly kind: 'leakyRelu';
  /** Factor of negative inputs, in [0, 1]. @default 0.01 */
  readonly slope?: number;
}

/**
 * Describes the leaky rectified linear unit: y = x for x ≥ 0, slope·x below.
 *
 * @param slope factor of negative inputs, in [0, 1]. @default 0.01
 * @throws ArgumentError for other slopes
 * @example sequential([dense(64), leakyRelu(0.1), dense(10)])
 */
export function leakyRelu(slope?: number): LeakyReluLayer;
export function leakyRelu(slope: number = 0.01, ...extra: unknown[]): LeakyReluLayer {
  checkNoMore('leakyRelu(slope)', extra, 'it has no other options');
  return checked(kind, { kind: 'leakyRelu', slope });
}

const kind: LayerKind<LeakyReluLayer> = {
  kind: 'leakyRelu',
  prefix: 'leakyRelu',
  fields: ['slope'],
  check({ slope = 0.01 }, nameOf) {
    checkNumber(nameOf('slope'), slope, '[0, 1]', (value) => value >= 0 && value <= 1);
  },
  plan: ({ slope = 0.01 }, input) =>
    planActivation(
      input,
      'output',
      (kernels, y, x, n) => kernels.leakyRelu(y, x, n, slope),
      (kernels, dx, dy, kept, n) => kernels.leakyReluGrad(dx, dy, kept, n, slope),
    ),
};

export default kind;
