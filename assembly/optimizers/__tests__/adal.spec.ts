import { AdaLConstants, AdaLKernel } from '../../../build/assembly/kernel-constants';
import { applyKernel } from '../../../build/assembly/kernel-dispatch';
import {
  GROUP_RECORD_SIZE,
  GroupRecord,
  TENSOR_RECORD_SIZE,
  TensorRecord,
} from '../../../build/assembly/optim-records';
import { AdaL, AdaLScalars, AdaLValues } from '../adal';

/** A zeroed record of a tensor without history, in a group with the reference defaults. */
function describeTensor(eps: f64): TensorRecord {
  const bytes = TENSOR_RECORD_SIZE + GROUP_RECORD_SIZE;
  const at = heap.alloc(bytes);
  memory.fill(at, 0, bytes);
  const tensor = changetype<TensorRecord>(at);
  tensor.group = at + TENSOR_RECORD_SIZE;
  tensor.clip = 1;
  const scalars = changetype<AdaLScalars>(tensor.scalars);
  scalars.beta1Power = 1;
  scalars.beta2Power = 1;
  const values = changetype<AdaLValues>(changetype<GroupRecord>(tensor.group).values);
  values.stepSize = 0.01;
  values.beta1 = 0.9;
  values.beta2 = 0.999;
  values.eps = eps;
  values.weightDecay = 0.5;
  return tensor;
}

function prepare(tensor: TensorRecord, norm: f64): bool {
  const group = changetype<GroupRecord>(tensor.group);
  return changetype<AdaL>(0).prepare(tensor, group, norm, 0);
}

function next(tensor: TensorRecord): AdaLScalars {
  return changetype<AdaLScalars>(tensor.nextScalars);
}

/** Four arrays of sixteen zeros: parameter, gradient, state. */
function zeros(): usize {
  const data = heap.alloc(256);
  memory.fill(data, 0, 256);
  return data;
}

function applyOnce(tensor: TensorRecord, data: usize): void {
  applyKernel(AdaLKernel, tensor, data, data + 64, data + 128, data + 192, 0, 16);
}

describe('AdaL', () => {
  it('takes a first step of lr·sign(g), weights decayed', () => {
    const tensor = describeTensor(0.0);
    expect(prepare(tensor, 3.0)).toBe(true);
    const data = zeros();
    store<f32>(data, 1.0, 0);
    store<f32>(data, 1.0, 4);
    store<f32>(data, 2.0, 64);
    store<f32>(data, -1.0, 68);
    applyOnce(tensor, data);
    expect(load<f32>(data, 0)).toBeCloseTo(<f32>(0.995 - 0.01), 6);
    expect(load<f32>(data, 4)).toBeCloseTo(<f32>(0.995 + 0.01), 6);
    expect(load<f32>(data, 8)).toBe(0);
  });

  it('does not move a coordinate whose gradients were all zero', () => {
    const tensor = describeTensor(0.0);
    prepare(tensor, 0.0);
    const data = zeros();
    applyOnce(tensor, data);
    expect(load<f32>(data, 0)).toBe(0);
    expect(next(tensor).V).toBe(0);
    expect(next(tensor).exponent).toBe(0);
  });

  it('scales state so that the exponent follows the norm: 8 more bits of S are 16 of e', () => {
    const small = describeTensor(0.0);
    const large = describeTensor(0.0);
    prepare(small, 1.0);
    prepare(large, 256.0);
    expect(next(large).exponent - next(small).exponent).toBe(16);
    const constants = changetype<AdaLConstants>(large.constants);
    expect(constants.c).toBe(changetype<AdaLConstants>(small.constants).c);
  });

  it('refuses what could overflow the weights, with eps alone', () => {
    expect(prepare(describeTensor(1e-8), 1e26)).toBe(false);
    expect(prepare(describeTensor(0.0), 1e26)).toBe(true);
  });
});

describe("AdaL's spike guard", () => {
  it('counts a norm as at most ratio times its mean, and lets the mean grow by as little', () => {
    const tensor = describeTensor(0.0);
    const values = changetype<AdaLValues>(changetype<GroupRecord>(tensor.group).values);
    values.normRatio = 2;
    changetype<AdaLScalars>(tensor.scalars).normMean = 1;
    expect(prepare(tensor, 100.0)).toBe(true);
    expect(next(tensor).normMean).toBe(0.9 + 0.1 * 2);
    expect(next(tensor).V).toBe((1.0 - 0.999) * 16);
  });

  it('takes the norm over all tensors where the group says so', () => {
    const tensor = describeTensor(0.0);
    const group = changetype<GroupRecord>(tensor.group);
    changetype<AdaLValues>(group.values).globalNorm = 1;
    changetype<AdaL>(0).prepare(tensor, group, 1.0, 2.0);
    expect(next(tensor).V).toBe((1.0 - 0.999) * 16);
  });
});
