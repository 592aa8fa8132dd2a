/** The memory yardstick of the step: 4 reads and 3 writes a parameter, next to no arithmetic. */
export function triad(p: usize, g: usize, m: usize, v: usize, length: usize): void {
  for (const end = p + (length << 2); p < end; p += 32) {
    const x = v128.load(g);
    const y = v128.load(g, 16);
    v128.store(m, f32x4.add(v128.load(m), x));
    v128.store(m, f32x4.add(v128.load(m, 16), y), 16);
    v128.store(v, f32x4.add(v128.load(v), x));
    v128.store(v, f32x4.add(v128.load(v, 16), y), 16);
    v128.store(p, f32x4.add(v128.load(p), x));
    v128.store(p, f32x4.add(v128.load(p, 16), y), 16);
    g += 32;
    m += 32;
    v += 32;
  }
}
