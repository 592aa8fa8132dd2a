import { TENSOR_CONSTANTS, TENSOR_FLUSH, TENSOR_SIZE } from '../../../src/memory-layout/constants';
import { drive } from '../driver';
import { flushMoments } from '../flush';
import { Rule } from '../rule';

/** θ ← θ + k0·g, m ← g, v ← k11: shows which addresses and constants the driver hands out. */
@unmanaged
class Probe extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    k0: v128, k1: v128, k2: v128, k3: v128, k4: v128, k5: v128,
    k6: v128, k7: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    const x = v128.load(g);
    v128.store(p, f32x4.add(v128.load(p), f32x4.mul(k0, x)));
    v128.store(s0, x);
    v128.store(s1, k11);
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    flushMoments(s0, s1, length);
  }
}

/** A tensor of 64 elements with g[i] = i, all else zero. */
function describeTensor(): usize {
  const tensor = heap.alloc(TENSOR_SIZE + 4 * 256);
  memory.fill(tensor, 0, TENSOR_SIZE + 4 * 256);
  const data = tensor + TENSOR_SIZE;
  for (let i = 0; i < 64; i++) store<f32>(data + 256 + (i << 2), <f32>i);
  store<f32>(tensor + TENSOR_CONSTANTS, 2.0, 0);
  store<f32>(tensor + TENSOR_CONSTANTS, 5.0, 44);
  return tensor;
}

describe('drive', () => {
  it('applies the rule to every element of the block and to no other', () => {
    const tensor = describeTensor();
    const data = tensor + TENSOR_SIZE;
    const from = data + (16 << 2);
    drive<Probe>(tensor, from, from + 256, from + 512, from + 768, 0, 32);
    for (let i = 0; i < 64; i++) {
      const inside = i >= 16 && i < 48;
      expect(load<f32>(data + (i << 2))).toBe(inside ? 2 * <f32>i : 0);
      expect(load<f32>(data + 512 + (i << 2))).toBe(inside ? <f32>i : 0);
      expect(load<f32>(data + 768 + (i << 2))).toBe(inside ? 5 : 0);
    }
  });

  it('flushes the block afterwards when the descriptor says so', () => {
    const tensor = describeTensor();
    store<f32>(tensor + TENSOR_CONSTANTS, 0.0, 44);
    store<i32>(tensor, 1, TENSOR_FLUSH);
    const data = tensor + TENSOR_SIZE;
    store<f32>(data + 256 + 4 * 63, 1e-31);
    drive<Probe>(tensor, data, data + 256, data + 512, data + 768, 0, 64);
    expect(load<f32>(data + 512 + 4 * 62)).toBe(62);
    expect(load<f32>(data + 512 + 4 * 63)).toBe(0);
  });
});
