/**
 * What an update rule gives to the driver. Rules are never instantiated: `changetype<R>(0)` names
 * their methods.
 */
@unmanaged
export class Rule {
  /**
   * The update of one vector: parameter p, gradient g (read only), state s0…s2, and the tensor's
   * constants k0…k11, broadcast. All addresses are of 16 bytes. A rule names the constants it
   * takes, in the order in which its class in src/optimizers (AdaL's: prepareAdaL) writes them. r,
   * the first of all but AdaL's, is the factor by which the gradient is clipped: `settle` writes
   * it.
   */
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    k0: v128, k1: v128, k2: v128, k3: v128, k4: v128, k5: v128,
    k6: v128, k7: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {}

  /**
   * The same with a divisor that ε keeps above 0 unless `zeroEps`: one instruction of fourteen, and
   * 5% of the step.
   */
  @inline
  protected quotientBeside(zeroEps: bool, n: v128, d: v128): v128 {
    return zeroEps ? this.quotient(n, d) : f32x4.div(n, d);
  }

  /**
   * n/d in every lane, and 0 where d is 0: a coordinate whose second moment is 0 in float32, with ε
   * = 0, does not move.
   */
  @inline
  protected quotient(n: v128, d: v128): v128 {
    return v128.andnot(f32x4.div(n, d), f32x4.eq(d, f32x4.splat(0)));
  }

  /**
   * Removes moments that have decayed to nothing; called for a block after every FLUSH_INTERVAL-th
   * update of its tensor, with the block's `length` elements at these addresses.
   */
  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {}
}
