/**
 * The one loop that runs every update rule over a block. Written once; asc makes a copy for each
 * rule.
 */
import { TENSOR_CONSTANTS, TENSOR_FLUSH } from '../layout';
import { Rule } from './rule';

/**
 * Applies rule R to `length` elements, a multiple of UNROLL: parameter, gradient and state at these
 * addresses, constants and flush flag from the tensor's descriptor.
 */
// biome-ignore format: addresses on one line
export function drive<R extends Rule>(
  tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize,
): void {
  const constants = tensor + TENSOR_CONSTANTS;
  const k0 = v128.load32_splat(constants, 0);
  const k1 = v128.load32_splat(constants, 4);
  const k2 = v128.load32_splat(constants, 8);
  const k3 = v128.load32_splat(constants, 12);
  const k4 = v128.load32_splat(constants, 16);
  const k5 = v128.load32_splat(constants, 20);
  const k6 = v128.load32_splat(constants, 24);
  const k7 = v128.load32_splat(constants, 28);
  const k8 = v128.load32_splat(constants, 32);
  const k9 = v128.load32_splat(constants, 36);
  const k10 = v128.load32_splat(constants, 40);
  const k11 = v128.load32_splat(constants, 44);
  const begin = p;
  // Unrolled by four, with constant offsets: a prototype without it took 1.6 times as long on V8 11
  // (Node 20).
  for (const end = p + (length << 2); p < end; p += 64) {
    changetype<R>(0).apply(p, g, s0, s1, s2, k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11);
    changetype<R>(0).apply(p + 16, g + 16, s0 + 16, s1 + 16, s2 + 16, k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11);
    changetype<R>(0).apply(p + 32, g + 32, s0 + 32, s1 + 32, s2 + 32, k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11);
    changetype<R>(0).apply(p + 48, g + 48, s0 + 48, s1 + 48, s2 + 48, k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11);
    g += 64;
    s0 += 64;
    s1 += 64;
    s2 += 64;
  }
  if (load<i32>(tensor, TENSOR_FLUSH)) {
    const bytes = p - begin;
    changetype<R>(0).flush(tensor, begin, g - bytes, s0 - bytes, s1 - bytes, s2 - bytes, length);
  }
}
