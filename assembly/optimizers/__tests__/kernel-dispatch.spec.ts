import { SGDMomentumConstants, SGDMomentumKernel } from '../../../build/assembly/kernel-constants';
import { applyKernel } from '../../../build/assembly/kernel-dispatch';
import { TENSOR_RECORD_SIZE, TensorRecord } from '../../../build/assembly/optim-records';

/** A tensor of 64 elements with g[i] = i, all else zero; its data lies behind its record. */
function describeTensor(): TensorRecord {
  const bytes = TENSOR_RECORD_SIZE + 3 * 256;
  const tensor = heap.alloc(bytes);
  memory.fill(tensor, 0, bytes);
  const data = tensor + TENSOR_RECORD_SIZE;
  for (let i = 0; i < 64; i++) store<f32>(data + 256 + (i << 2), <f32>i);
  const record = changetype<TensorRecord>(tensor);
  const constants = changetype<SGDMomentumConstants>(record.constants);
  constants.clip = 2;
  constants.lr = 1;
  constants.delta = 1;
  constants.c = 1;
  constants.b = 1;
  return record;
}

describe('a derived loop', () => {
  it('applies the kernel to every element of the block and to no other', () => {
    const tensor = describeTensor();
    const data = changetype<usize>(tensor) + TENSOR_RECORD_SIZE;
    const from = data + (16 << 2);
    applyKernel(SGDMomentumKernel, tensor, from, from + 256, from + 512, 0, 0, 32);
    for (let i = 0; i < 64; i++) {
      const inside = i >= 16 && i < 48;
      expect(load<f32>(data + (i << 2))).toBe(inside ? -2 * <f32>i : 0);
      expect(load<f32>(data + 512 + (i << 2))).toBe(inside ? 2 * <f32>i : 0);
    }
  });

  it('flushes the block afterwards when the record says so', () => {
    const tensor = describeTensor();
    tensor.flush = 1;
    const data = changetype<usize>(tensor) + TENSOR_RECORD_SIZE;
    store<f32>(data + 256 + 4 * 63, 1e-31);
    applyKernel(SGDMomentumKernel, tensor, data, data + 256, data + 512, 0, 0, 64);
    expect(load<f32>(data + 512 + 4 * 62)).toBe(124);
    expect(load<f32>(data + 512 + 4 * 63)).toBe(0);
  });
});
