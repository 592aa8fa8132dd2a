/**
 * The micro-kernel of gemm: two rows of C by one to four vectors of columns, all in registers while
 * k runs.
 *
 * 2×16 and 3×12 were the fastest of 4×8, 5×8, 6×8, 3×12, 4×12, 2×16 on V8 11 (Node 20) and V8 13
 * (Node 24), on x64: 8 accumulators, a vector of B, 2 of A and a product fit its 16 registers. 2×16
 * wastes nothing on powers of two.
 */

/**
 * How many vectors of columns a kernel covers: a class, so that asc makes one copy of the kernel
 * for each.
 */
@unmanaged
export class Width {
  vectors(): i32 {
    return 0;
  }
}

@unmanaged
export class Four extends Width {
  @inline
  vectors(): i32 {
    return 4;
  }
}

@unmanaged
export class Three extends Width {
  @inline
  vectors(): i32 {
    return 3;
  }
}

@unmanaged
export class Two extends Width {
  @inline
  vectors(): i32 {
    return 2;
  }
}

@unmanaged
export class One extends Width {
  @inline
  vectors(): i32 {
    return 1;
  }
}

/**
 * sum + a·b, each rounded; in the relaxed binary, where the CPU has it, rounded once (fused): other
 * bits, and faster.
 */
export function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, sum) : f32x4.add(sum, f32x4.mul(a, b));
}

/**
 * c0[j] += Σ a0[p]·b[p][j] and the same for c1, a1, p ascending, for W groups of 4 columns j;
 * `depth` is at least 1. Called from two places, so that asc does not inline it: alone in its
 * function V8 11 gives it the registers it needs.
 * @param bStep bytes from one k of b to the next @param fresh sums begin with 0, not with what c0
 * and c1 hold
 */
// biome-ignore format: one line a role
export function multiplyTile<W extends Width>(
  c0: usize, c1: usize, a0: usize, a1: usize, b: usize, bStep: usize,
  depth: i32, fresh: bool,
): void {
  // Registers that this width does not use are never touched: asc drops them.
  let x0 = f32x4.splat(0);
  let y0 = x0;
  let x1 = x0;
  let y1 = x0;
  let x2 = x0;
  let y2 = x0;
  let x3 = x0;
  let y3 = x0;
  if (!fresh) {
    x0 = v128.load(c0);
    y0 = v128.load(c1);
    if (changetype<W>(0).vectors() > 1) {
      x1 = v128.load(c0, 16);
      y1 = v128.load(c1, 16);
    }
    if (changetype<W>(0).vectors() > 2) {
      x2 = v128.load(c0, 32);
      y2 = v128.load(c1, 32);
    }
    if (changetype<W>(0).vectors() > 3) {
      x3 = v128.load(c0, 48);
      y3 = v128.load(c1, 48);
    }
  }
  // The second row at a fixed distance: one pointer less to advance is about 2%.
  const apart = a1 - a0;
  for (const end = a0 + ((<usize>depth) << 2); a0 < end; a0 += 4) {
    // x[j] += a0[p]·b[p][j];  y[j] += a1[p]·b[p][j]
    const s = v128.load32_splat(a0);
    const t = v128.load32_splat(a0 + apart);
    const b0 = v128.load(b);
    x0 = multiplyAdd(x0, s, b0);
    y0 = multiplyAdd(y0, t, b0);
    if (changetype<W>(0).vectors() > 1) {
      const b1 = v128.load(b, 16);
      x1 = multiplyAdd(x1, s, b1);
      y1 = multiplyAdd(y1, t, b1);
    }
    if (changetype<W>(0).vectors() > 2) {
      const b2 = v128.load(b, 32);
      x2 = multiplyAdd(x2, s, b2);
      y2 = multiplyAdd(y2, t, b2);
    }
    if (changetype<W>(0).vectors() > 3) {
      const b3 = v128.load(b, 48);
      x3 = multiplyAdd(x3, s, b3);
      y3 = multiplyAdd(y3, t, b3);
    }
    b += bStep;
  }
  storeRow<W>(c0, x0, x1, x2, x3);
  storeRow<W>(c1, y0, y1, y2, y3);
}

function storeRow<W extends Width>(c: usize, v0: v128, v1: v128, v2: v128, v3: v128): void {
  v128.store(c, v0);
  if (changetype<W>(0).vectors() > 1) v128.store(c, v1, 16);
  if (changetype<W>(0).vectors() > 2) v128.store(c, v2, 32);
  if (changetype<W>(0).vectors() > 3) v128.store(c, v3, 48);
}

/**
 * The yardstick of bench/micro/gemm.ts: 12 independent multiply-add chains in registers, 2 links
 * each an iteration (192 operations). Everything derives from the argument: V8 13 would rebuild
 * constants at every use, V8 11 spill them.
 */
export function peak(iterations: i32): f32 {
  const a = f32x4.splat(1 - <f32>iterations * 1e-12);
  const b = f32x4.splat(<f32>iterations * 1e-12);
  let c0 = f32x4.mul(a, f32x4.splat(0));
  let c1 = f32x4.mul(a, f32x4.splat(1));
  let c2 = f32x4.mul(a, f32x4.splat(2));
  let c3 = f32x4.mul(a, f32x4.splat(3));
  let c4 = f32x4.mul(a, f32x4.splat(4));
  let c5 = f32x4.mul(a, f32x4.splat(5));
  let c6 = f32x4.mul(a, f32x4.splat(6));
  let c7 = f32x4.mul(a, f32x4.splat(7));
  let c8 = f32x4.mul(a, f32x4.splat(8));
  let c9 = f32x4.mul(a, f32x4.splat(9));
  let c10 = f32x4.mul(a, f32x4.splat(10));
  let c11 = f32x4.mul(a, f32x4.splat(11));
  for (; iterations > 0; --iterations) {
    c0 = f32x4.add(f32x4.mul(c0, a), b);
    c1 = f32x4.add(f32x4.mul(c1, a), b);
    c2 = f32x4.add(f32x4.mul(c2, a), b);
    c3 = f32x4.add(f32x4.mul(c3, a), b);
    c4 = f32x4.add(f32x4.mul(c4, a), b);
    c5 = f32x4.add(f32x4.mul(c5, a), b);
    c6 = f32x4.add(f32x4.mul(c6, a), b);
    c7 = f32x4.add(f32x4.mul(c7, a), b);
    c8 = f32x4.add(f32x4.mul(c8, a), b);
    c9 = f32x4.add(f32x4.mul(c9, a), b);
    c10 = f32x4.add(f32x4.mul(c10, a), b);
    c11 = f32x4.add(f32x4.mul(c11, a), b);
    c0 = f32x4.add(f32x4.mul(c0, a), b);
    c1 = f32x4.add(f32x4.mul(c1, a), b);
    c2 = f32x4.add(f32x4.mul(c2, a), b);
    c3 = f32x4.add(f32x4.mul(c3, a), b);
    c4 = f32x4.add(f32x4.mul(c4, a), b);
    c5 = f32x4.add(f32x4.mul(c5, a), b);
    c6 = f32x4.add(f32x4.mul(c6, a), b);
    c7 = f32x4.add(f32x4.mul(c7, a), b);
    c8 = f32x4.add(f32x4.mul(c8, a), b);
    c9 = f32x4.add(f32x4.mul(c9, a), b);
    c10 = f32x4.add(f32x4.mul(c10, a), b);
    c11 = f32x4.add(f32x4.mul(c11, a), b);
  }
  const low = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(c4, c5));
  const high = f32x4.add(f32x4.add(f32x4.add(c6, c7), f32x4.add(c8, c9)), f32x4.add(c10, c11));
  return f32x4.extract_lane(f32x4.add(low, high), 0);
}
