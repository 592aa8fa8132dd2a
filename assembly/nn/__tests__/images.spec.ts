import * as L from '../../../src/memory-layout/nn-layout';
import { fillExact, floats, get, put, tidy } from '../../math/__tests__/floats';
import { windowOf } from '../../math/__tests__/windows';
import { avgPool2d } from '../avg-pool2d';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../conv2d';
import { globalAvgPool } from '../global-avg-pool';
import { maxPool2d, maxPool2dGrad } from '../max-pool2d';

describe('conv2d', () => {
  it('sums a window of ones, padding as zeros', () => {
    const window = windowOf(3, 3, 1, 3, 1, 1, 1);
    const x = floats(9);
    const weight = floats(9);
    const y = floats(9);
    for (let i = 0; i < 9; ++i) put(x, i, <f32>(i + 1));
    for (let i = 0; i < 9; ++i) put(weight, i, 1);
    conv2d(y, x, weight, window, 1, floats(<i32>L.convScratchBytes(25, 9, 9, 1, 1) / 4));
    expect(get(y, 0)).toBe(12);
    expect(get(y, 4)).toBe(45);
    expect(get(y, 8)).toBe(28);
    expect(tidy(y, 9)).toBe(true);
  });

  it('has gradients that are adjoint to it: <dy, W∗x> = <dx, x> = <dW, W>', () => {
    const window = windowOf(5, 4, 3, 2, 1, 1, 2);
    const count = 10;
    const x = floats(count * 60);
    const weight = floats(24);
    const y = floats(count * 60);
    const dy = floats(count * 60);
    const dx = floats(count * 60);
    const dw = floats(24);
    const scratch = floats(<i32>L.convScratchBytes(126, 30, 12, 2, 1) / 4);
    fillExact(x, count * 60, 1);
    fillExact(weight, 24, 2);
    fillExact(dy, count * 60, 3);
    conv2d(y, x, weight, window, count, scratch);
    conv2dInputGrad(dx, dy, weight, window, count, scratch);
    conv2dWeightGrad(dw, dy, x, window, count, scratch);
    let byOutput: f64 = 0;
    let byInput: f64 = 0;
    let byWeight: f64 = 0;
    for (let i = 0; i < count * 60; ++i) byOutput += get(dy, i) * get(y, i);
    for (let i = 0; i < count * 60; ++i) byInput += get(dx, i) * get(x, i);
    for (let i = 0; i < 24; ++i) byWeight += get(dw, i) * get(weight, i);
    // All values are multiples of 1/4 and small: every sum is exact.
    expect(byInput).toBe(byOutput);
    expect(byWeight).toBe(byOutput);
  });
});

describe('pooling', () => {
  it('takes the greatest or the mean, and returns the gradient to the greatest', () => {
    const window = windowOf(4, 4, 2, 2, 2, 0, 2);
    const x = floats(32);
    const y = floats(8);
    const index = floats(8);
    const dx = floats(32);
    for (let i = 0; i < 32; ++i) put(x, i, <f32>((i * 7) % 32));
    avgPool2d(y, x, window, 1);
    expect(get(y, 0)).toBe((get(x, 0) + get(x, 2) + get(x, 8) + get(x, 10)) / 4);
    maxPool2d(y, index, x, window, 1);
    expect(get(y, 0)).toBe(max(max(get(x, 0), get(x, 2)), max(get(x, 8), get(x, 10))));
    maxPool2dGrad(dx, y, index, window, 1);
    for (let i = 0; i < 32; ++i) expect(get(dx, i) === 0 || get(dx, i) === get(x, i)).toBe(true);
    globalAvgPool(y, x, 1, 16, 2);
    let sum: f32 = 0;
    for (let i = 0; i < 32; i += 2) sum += get(x, i);
    expect(get(y, 0)).toBe(sum / 16);
  });
});
