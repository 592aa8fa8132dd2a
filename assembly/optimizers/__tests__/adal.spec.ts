import {
  GROUP_BETA1,
  GROUP_BETA2,
  GROUP_EPS,
  GROUP_STEP_SIZE,
  GROUP_WEIGHT_DECAY,
  TENSOR_BETA1_POWER,
  TENSOR_BETA2_POWER,
  TENSOR_CONSTANTS,
  TENSOR_GROUP,
  TENSOR_NEXT_EXPONENT,
  TENSOR_NEXT_V,
  TENSOR_SIZE,
} from '../../../src/memory-layout/constants';
import { AdaL, prepareAdaL } from '../adal';

/** A zeroed descriptor of a tensor without history, in a group with the reference defaults. */
function describeTensor(eps: f64): usize {
  const tensor = heap.alloc(TENSOR_SIZE + 64);
  const group = tensor + TENSOR_SIZE;
  memory.fill(tensor, 0, TENSOR_SIZE + 64);
  store<u32>(tensor, <u32>group, TENSOR_GROUP);
  store<f64>(tensor, 1.0, TENSOR_BETA1_POWER);
  store<f64>(tensor, 1.0, TENSOR_BETA2_POWER);
  store<f64>(group, 0.01, GROUP_STEP_SIZE);
  store<f64>(group, 0.9, GROUP_BETA1);
  store<f64>(group, 0.999, GROUP_BETA2);
  store<f64>(group, eps, GROUP_EPS);
  store<f64>(group, 0.5, GROUP_WEIGHT_DECAY);
  return tensor;
}

function constant(tensor: usize, index: i32): f32 {
  return load<f32>(tensor + TENSOR_CONSTANTS + (index << 2));
}

function constantVector(tensor: usize, index: i32): v128 {
  return f32x4.splat(constant(tensor, index));
}

function applyOnce(tensor: usize, data: usize): void {
  changetype<AdaL>(0).apply(
    data,
    data + 16,
    data + 32,
    data + 48,
    0,
    constantVector(tensor, 0),
    constantVector(tensor, 1),
    constantVector(tensor, 2),
    constantVector(tensor, 3),
    constantVector(tensor, 4),
    constantVector(tensor, 5),
    constantVector(tensor, 6),
    constantVector(tensor, 7),
    constantVector(tensor, 8),
    constantVector(tensor, 9),
    constantVector(tensor, 10),
    constantVector(tensor, 11),
  );
}

describe('prepareAdaL', () => {
  it('takes a first step of lr·sign(g), weights decayed', () => {
    const tensor = describeTensor(0.0);
    expect(prepareAdaL(tensor, 3.0, 1, 1)).toBe(true);
    const data = heap.alloc(64);
    memory.fill(data, 0, 64);
    store<f32>(data, 1.0, 0);
    store<f32>(data, 1.0, 4);
    store<f32>(data, 2.0, 16);
    store<f32>(data, -1.0, 20);
    applyOnce(tensor, data);
    expect(load<f32>(data, 0)).toBeCloseTo(<f32>(0.995 - 0.01), 6);
    expect(load<f32>(data, 4)).toBeCloseTo(<f32>(0.995 + 0.01), 6);
    expect(load<f32>(data, 8)).toBe(0);
  });

  it('leaves a coordinate alone whose gradients were all zero, where the plain rule gives NaN', () => {
    const tensor = describeTensor(0.0);
    prepareAdaL(tensor, 0.0, 1, 1);
    const data = heap.alloc(64);
    memory.fill(data, 0, 64);
    applyOnce(tensor, data);
    expect(load<f32>(data, 0)).toBe(0);
    expect(load<f64>(tensor, TENSOR_NEXT_V)).toBe(0);
    expect(load<i32>(tensor, TENSOR_NEXT_EXPONENT)).toBe(0);
  });

  it('scales state so that the exponent follows the norm: 8 more bits of S are 16 of e', () => {
    const small = describeTensor(0.0);
    const large = describeTensor(0.0);
    prepareAdaL(small, 1.0, 1, 1);
    prepareAdaL(large, 256.0, 1, 1);
    expect(load<i32>(large, TENSOR_NEXT_EXPONENT) - load<i32>(small, TENSOR_NEXT_EXPONENT)).toBe(
      16,
    );
    expect(constant(large, 1)).toBe(constant(small, 1));
  });

  it('refuses what could overflow the weights, with eps alone', () => {
    expect(prepareAdaL(describeTensor(1e-8), 1e26, 1, 1)).toBe(false);
    expect(prepareAdaL(describeTensor(0.0), 1e26, 1, 1)).toBe(true);
  });
});
