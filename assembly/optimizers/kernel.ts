/**
 * Operations that the kernels of all optimizers share. A kernel is a class with a method `apply`
 * that updates one vector of a parameter; the build reads its parameters and writes the loop around
 * it (scripts/generate/kernels.js). Kernels are never instantiated: `changetype<K>(0)` names their
 * methods.
 */
import { GroupRecord, TensorRecord } from '../../build/assembly/optim-records';

@unmanaged
export class Kernel {
  /** h = clip·g + l2·θ: the gradient, clipped, with coupled L2. */
  @inline
  protected gradient(g: usize, theta: v128, clip: v128, l2: v128): v128 {
    return f32x4.add(f32x4.mul(clip, v128.load(g)), f32x4.mul(l2, theta));
  }

  /**
   * Returns β·a + c·x, where a is a running average in memory, and writes nothing. AdaL and Adam
   * store both averages after they have computed both: 2% of a step in cache. NAdam and RAdam are
   * faster when each is stored at once.
   */
  @inline
  protected nextAverage(a: usize, beta: v128, c: v128, x: v128): v128 {
    return f32x4.add(f32x4.mul(beta, v128.load(a)), f32x4.mul(c, x));
  }

  /** a ← β·a + c·x, where a is a running average in memory. Returns the new average. */
  @inline
  protected average(a: usize, beta: v128, c: v128, x: v128): v128 {
    const next = this.nextAverage(a, beta, c, x);
    v128.store(a, next);
    return next;
  }

  /** s·√v + ε */
  @inline
  protected denominator(s: v128, v: v128, eps: v128): v128 {
    return f32x4.add(f32x4.mul(s, f32x4.sqrt(v)), eps);
  }

  /** θ ← θ·δ - move */
  @inline
  protected decayAndMove(p: usize, theta: v128, delta: v128, move: v128): void {
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), move));
  }
}

/** How a kernel divides by a root. */
@unmanaged
export abstract class Division {
  abstract of(n: v128, d: v128): v128;
}

/** The divisor is above 0, since ε is. */
@unmanaged
export class Quotient extends Division {
  @inline
  of(n: v128, d: v128): v128 {
    return f32x4.div(n, d);
  }
}

/**
 * The quotient is 0 where the divisor is: with ε = 0, a coordinate whose second moment is 0
 * in float32 does not move. One instruction more than `Quotient`, 5% of a step of Adam.
 */
@unmanaged
export class GuardedQuotient extends Division {
  @inline
  of(n: v128, d: v128): v128 {
    return v128.andnot(f32x4.div(n, d), f32x4.eq(d, f32x4.splat(0)));
  }
}

/**
 * Writes the factor that the gradient is clipped by, the first constant of a kernel that does not
 * prepare itself. Returns false where Σ|g| of the tensor reaches its group's limit: the step is
 * refused.
 */
export function prepareConstants(tensor: TensorRecord, group: GroupRecord, norm: f64): bool {
  store<f32>(tensor.constants, <f32>tensor.clip);
  return norm < group.normLimit;
}
