/** Memory for specs: f32 arrays outside the kernels' own bookkeeping. */

/**
 * n f32 at a new address, padded with zeros to whole turns; 64 more bytes of `guard` bytes follow.
 */
export function floats(n: i32): usize {
  const bytes = <usize>(((n + 15) & ~15) * 4);
  const x = heap.alloc(bytes + 64);
  memory.fill(x, 0, bytes);
  memory.fill(x + bytes, 0x5a, 64);
  return x;
}

/** x[i] = f(i) by a fixed formula of small numbers that f32 holds exactly. */
export function fillExact(x: usize, n: i32, seed: i32): void {
  for (let i = 0; i < n; ++i) put(x, i, <f32>(((i * 37 + seed * 11) % 23) - 11) * 0.25);
}

export function put(x: usize, i: i32, value: f32): void {
  store<f32>(x + ((<usize>i) << 2), value);
}

export function get(x: usize, i: i32): f32 {
  return load<f32>(x + ((<usize>i) << 2));
}

/** Whether padding after n elements is zero bits and the guard after it untouched. */
export function tidy(x: usize, n: i32): bool {
  const end = (n + 15) & ~15;
  for (let i = n; i < end; ++i) if (reinterpret<u32>(get(x, i)) !== 0) return false;
  for (let i = end; i < end + 16; ++i) if (reinterpret<u32>(get(x, i)) !== 0x5a5a5a5a) return false;
  return true;
}
