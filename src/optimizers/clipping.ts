/**
 * Clipping, as options: what bounds the gradient of a step. Gradients themselves are never
 * rewritten: a bounded norm enters the update as a factor, a bounded value where the kernels read
 * it.
 */
import { CLIP_L1, CLIP_L2, CLIP_MAX, CLIP_NONE } from '../memory-layout/constants';
import { checkChoice, checkNumber, checkOptions } from '../validate';
import type { FixedOptions } from './hyperparameters';

/** A bound on the norm of the gradient. */
export interface GradNormClip {
  /**
   * Bound on the norm, in [2^-126, 3.4028234663852886e38]: a gradient with a greater norm is scaled
   * to it.
   */
  max: number;
  /** Kind of norm: Σ|g|, √Σg² or max|g|. @default 'l2' */
  norm?: 'l1' | 'l2' | 'max';
  /**
   * Whether one norm is over all unfrozen parameters, or each parameter has its own.
   * @default 'global'
   */
  scope?: 'global' | 'tensor';
}

/** Options that bound the gradient of a step. */
export interface ClippingOptions {
  /**
   * Bound on the norm of the gradient; a greater norm is scaled to it. A number, in
   * [2^-126, 3.4028234663852886e38], bounds the L2 norm over all parameters. The factor is exactly
   * max/‖g‖; PyTorch's clip_grad_norm_ adds 1e-6 to ‖g‖ and so clips slightly more.
   * @default none
   */
  clipGradNorm?: number | GradNormClip;
  /**
   * Bound on the absolute value of each gradient element, in [2^-126, 3.4028234663852886e38]. It is
   * applied before norms are computed.
   * @default none
   */
  clipGradValue?: number;
}

/** Clipping as a step table has it. */
export interface Clipping {
  /** A CLIP_… constant. */
  readonly norm: number;
  readonly global: boolean;
  readonly limit: number;
  /** float32; 0 for none. */
  readonly value: number;
}

const NORMS = { l1: CLIP_L1, l2: CLIP_L2, max: CLIP_MAX };
const MAX_F32 = 3.4028234663852886e38;

/** Copies the options, so that getters are read once. */
export function copyClipping({ clipGradNorm, clipGradValue }: ClippingOptions): ClippingOptions {
  const norm =
    typeof clipGradNorm === 'object' && clipGradNorm !== null ? { ...clipGradNorm } : clipGradNorm;
  return { clipGradNorm: norm, clipGradValue };
}

/** Checks the options, and puts them as a step table has them. */
export function checkClipping({ clipGradNorm, clipGradValue }: ClippingOptions): Clipping {
  const value =
    clipGradValue === undefined ? 0 : Math.fround(checkBound('clipGradValue', clipGradValue));
  if (clipGradNorm === undefined) return { norm: CLIP_NONE, global: true, limit: 0, value };
  if (typeof clipGradNorm === 'number') {
    const limit = checkBound('clipGradNorm', clipGradNorm);
    return { norm: CLIP_L2, global: true, limit, value };
  }
  checkOptions('clipGradNorm', clipGradNorm, ['max', 'norm', 'scope']);
  const norm =
    NORMS[checkChoice('clipGradNorm.norm', clipGradNorm.norm ?? 'l2', ['l1', 'l2', 'max'])];
  const global =
    checkChoice('clipGradNorm.scope', clipGradNorm.scope ?? 'global', ['global', 'tensor']) ===
    'global';
  return { norm, global, limit: checkBound('clipGradNorm.max', clipGradNorm.max), value };
}

/** Returns the options as state dicts have them: null for those that are not set. */
export function clippingOptions({ clipGradNorm, clipGradValue }: ClippingOptions): FixedOptions {
  const norm = typeof clipGradNorm === 'number' ? { max: clipGradNorm } : clipGradNorm;
  return {
    clipGradNorm: norm
      ? { max: norm.max, norm: norm.norm ?? 'l2', scope: norm.scope ?? 'global' }
      : null,
    clipGradValue: clipGradValue ?? null,
  };
}

/** A positive float32 normal number. */
function checkBound(argument: string, value: unknown): number {
  return checkNumber(argument, value, '[2^-126, 3.4e38]', (x) => x >= 2 ** -126 && x <= MAX_F32);
}
