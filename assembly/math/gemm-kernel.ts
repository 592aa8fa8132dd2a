/**
 * The micro-kernel of gemm: two rows of C by one to four vectors of columns, kept in registers over
 * all of k.
 *
 * 2×16 and 3×12 were the fastest of 4×8, 5×8, 6×8, 3×12, 4×12, 2×16 on V8 11 (Node 20) and V8 13
 * (Node 24), on x64: 8 accumulators, a vector of B, 2 of A and a product fit its 16 registers. 2×16
 * wastes nothing on powers of two.
 */

/**
 * The number of vectors of columns that a kernel covers: a class, so that asc compiles one copy of
 * the kernel for each. Never instantiated: see activation.ts.
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
 * Returns sum + a·b with both operations rounded. The relaxed binary rounds once where the CPU has
 * a fused multiply-add: faster, with other bits.
 */
export function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, sum) : f32x4.add(sum, f32x4.mul(a, b));
}

/**
 * c0[j] += Σ a[p]·b[p][j] for W groups of 4 columns j, p ascending, and the same for c1 and the row
 * of a that lies `apart` bytes further. There is at least one p.
 * @param aStep bytes from one p of a to the next
 * @param bStep so of b
 * @param span `aStep` times the number of p
 * @param fresh whether sums begin with 0; otherwise with the values at c0 and c1
 */
// biome-ignore format: one line a role
export function multiplyTile<W extends Width>(
  c0: usize, c1: usize, a: usize, apart: usize, aStep: usize, b: usize, bStep: usize,
  span: usize, fresh: bool,
): void {
  // asc drops the registers that this width does not use.
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
  // The second row lies at a fixed distance: advancing one pointer less saves about 2%.
  for (const end = a + span; a < end; a += aStep) {
    // x[j] += a[p]·b[p][j];  y[j] += (the second a)[p]·b[p][j]
    const s = v128.load32_splat(a);
    const t = v128.load32_splat(a + apart);
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
  changetype<Row<W>>(0).store(c0, x0, x1, x2, x3);
  changetype<Row<W>>(0).store(c1, y0, y1, y2, y3);
}

/** A row of the tile. Never instantiated: only methods can be inlined for certain. */
@unmanaged
class Row<W extends Width> {
  @inline
  store(c: usize, v0: v128, v1: v128, v2: v128, v3: v128): void {
    v128.store(c, v0);
    if (changetype<W>(0).vectors() > 1) v128.store(c, v1, 16);
    if (changetype<W>(0).vectors() > 2) v128.store(c, v2, 32);
    if (changetype<W>(0).vectors() > 3) v128.store(c, v3, 48);
  }
}

/**
 * multiplyTile for `rows` rows of C, `cStep` bytes apart, and rows of a, `aRow` bytes apart.
 * `spare` is the address of 64 bytes: the partner that the last of an odd number of rows lacks.
 */
// biome-ignore format: one line a role
export function multiplyRows<W extends Width>(
  c: usize, cStep: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  rows: i32, span: usize, spare: usize, fresh: bool,
): void {
  for (; rows > 1; rows -= 2) {
    multiplyTile<W>(c, c + cStep, a, aRow, aStep, b, bStep, span, fresh);
    c += cStep << 1;
    a += aRow << 1;
  }
  // A call of itself, because asc inlines what has one caller: in a small function, V8 keeps the
  // sums in registers and reads no other local from the stack.
  if (rows > 0) multiplyRows<W>(c, spare - c, a, 0, aStep, b, bStep, 2, span, spare, fresh);
}
