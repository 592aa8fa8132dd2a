/** What an update rule gives to the driver. Rules are never instantiated: `changetype<R>(0)` names their methods. */
@unmanaged
export class Rule {
  /**
   * The update of one vector: parameter p, gradient g (read only), state s0…s2, and the constants k0…k9 that `prepare` wrote,
   * broadcast. All are addresses of 16 bytes.
   */
  @inline
  apply(
    p: usize,
    g: usize,
    s0: usize,
    s1: usize,
    s2: usize,
    k0: v128,
    k1: v128,
    k2: v128,
    k3: v128,
    k4: v128,
    k5: v128,
    k6: v128,
    k7: v128,
    k8: v128,
    k9: v128,
  ): void {}

  /**
   * Writes the constants of the tensor's next update; S is the gradient norm of its scope. Nothing else may change yet.
   * False: the update could overflow the weights, so the whole step is refused.
   */
  prepare(tensor: usize, S: f64): bool {
    return true;
  }
}
