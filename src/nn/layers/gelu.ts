/** Gaussian error linear unit (Hendrycks and Gimpel 2016). */
import { checkChoice, checkNoMore, checkOptions } from '../../validate';
import { planActivation } from './activation';
import { checked, type LayerKind } from './layer';

/**
 * The description of the Gaussian error linear unit: y = x·Φ(x), with Φ the distribution function
 * of the standard normal distribution.
 */
export interface GeluLayer extends Readonly<GeluOptions> {
  readonly kind: 'gelu';
}

/** Options of `gelu`. */
export interface GeluOptions {
  /**
   * 'none': Φ(x) = (1 + erf(x/√2))/2; 'tanh': (1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, which differs
   * by less than 0.0005.
   * @default 'none'
   */
  approximate?: 'none' | 'tanh';
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/**
 * Describes the Gaussian error linear unit: y = x·Φ(x).
 *
 * @throws ArgumentError for options out of range
 * @example sequential([dense(64), gelu(), dense(10)])
 */
export function gelu(options?: GeluOptions): GeluLayer;
export function gelu(options: GeluOptions = {}, ...extra: unknown[]): GeluLayer {
  checkNoMore('gelu(options)', extra, "the approximation is given as { approximate: 'tanh' }");
  checkOptions('options', options, ['approximate', 'name']);
  return checked(kind, { kind: 'gelu', ...options });
}

const kind: LayerKind<GeluLayer> = {
  kind: 'gelu',
  prefix: 'gelu',
  fields: ['approximate'],
  check({ approximate = 'none' }, nameOf) {
    checkChoice(nameOf('approximate'), approximate, ['none', 'tanh']);
  },
  plan: ({ approximate }, input) =>
    approximate === 'tanh'
      ? planActivation(
          input,
          'input',
          (kernels, y, x, n) => kernels.geluTanh(y, x, n),
          (kernels, dx, dy, kept, n) => kernels.geluTanhGrad(dx, dy, kept, n),
        )
      : planActivation(
          input,
          'input',
          (kernels, y, x, n) => kernels.gelu(y, x, n),
          (kernels, dx, dy, kept, n) => kernels.geluGrad(dx, dy, kept, n),
        ),
};

export default kind;
