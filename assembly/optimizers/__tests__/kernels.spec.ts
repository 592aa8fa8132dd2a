import {
  AdaBeliefKernel,
  AdaBoundKernel,
  AdadeltaKernel,
  AdagradKernel,
  AdamaxKernel,
  AdamKernel,
  AMSGradKernel,
  LionKernel,
  MuonKernel,
  NAdamKernel,
  RAdamKernel,
  RMSPropCenteredKernel,
  RMSPropCenteredMomentumKernel,
  RMSPropKernel,
  RMSPropMomentumKernel,
  ScheduleFreeKernel,
  SGDKernel,
  SGDMomentumKernel,
} from '../../../build/assembly/kernel-constants';
import { applyKernel } from '../../../build/assembly/kernel-dispatch';
import { TENSOR_RECORD_SIZE, TensorRecord } from '../../../build/assembly/optim-records';

/**
 * Applies a kernel once to five arrays of sixteen elements: parameter 2, gradient 0.5, state 0.25,
 * 0.75, 1.5 throughout. Returns the address of the arrays.
 */
function applied(kernel: i32, constants: StaticArray<f32>): usize {
  const tensor = changetype<TensorRecord>(heap.alloc(TENSOR_RECORD_SIZE));
  memory.fill(changetype<usize>(tensor), 0, TENSOR_RECORD_SIZE);
  for (let i = 0; i < constants.length; i++) store<f32>(tensor.constants + (i << 2), constants[i]);
  const data = heap.alloc(5 * 64);
  const values: StaticArray<f32> = [2.0, 0.5, 0.25, 0.75, 1.5];
  for (let i = 0; i < 5 * 16; i++) store<f32>(data + (i << 2), values[i / 16]);
  applyKernel(kernel, tensor, data, data + 64, data + 128, data + 192, data + 256, 16);
  return data;
}

/** Element 2 of array `index`: 0 the parameter, 2… the state. */
function at(data: usize, index: i32): f64 {
  return <f64>load<f32>(data + (index << 6) + 8);
}

function expectNear(actual: f64, expected: f64): void {
  expect(abs(actual - expected)).toBeLessThan(1e-6 * max(1.0, abs(expected)));
}

// In all: h = 1·0.5 + 0.1·2 = 0.7 where there is coupled L2, θ = 2.
describe('the kernels, one element by hand', () => {
  it('SGD', () => {
    expectNear(at(applied(SGDKernel, [1, 0.1, 0.5, 0.9]), 0), 2 * 0.9 - 0.5 * 0.7);
  });

  it('SGD with momentum', () => {
    const d = applied(SGDMomentumKernel, [1, 0.1, 0.5, 0.9, 0.8, 0.6, 1, 0.8]);
    const m = 0.8 * 0.25 + 0.6 * 0.7;
    expectNear(at(d, 2), m);
    expectNear(at(d, 0), 2 * 0.9 - 0.5 * (0.7 + 0.8 * m));
  });

  it('Adagrad', () => {
    const d = applied(AdagradKernel, [1, 0.1, 0.5, 0.9, 0.01]);
    const v = 0.25 + 0.49;
    expectNear(at(d, 2), v);
    expectNear(at(d, 0), 2 * 0.9 - (0.5 * 0.7) / (sqrt(v) + 0.01));
  });

  it('RMSProp in its four forms', () => {
    const constants: StaticArray<f32> = [1, 0.1, 0.5, 1, 0.9, 0.1, 0.01, 0, 0.8];
    const v = 0.9 * 0.25 + 0.1 * 0.49;
    const u = 0.7 / (sqrt(v) + 0.01);
    expectNear(at(applied(RMSPropKernel, constants), 0), 2 - 0.5 * u);
    expectNear(at(applied(RMSPropMomentumKernel, constants), 0), 2 - 0.5 * (0.8 * 0.75 + u));
    const mean1 = 0.9 * 0.75 + 0.1 * 0.7;
    const w1 = max(v - mean1 * mean1, 0.0);
    expectNear(
      at(applied(RMSPropCenteredKernel, constants), 0),
      2 - (0.5 * 0.7) / (sqrt(w1) + 0.01),
    );
    const mean2 = 0.9 * 1.5 + 0.1 * 0.7;
    const w2 = max(v - mean2 * mean2, 0.0);
    expectNear(
      at(applied(RMSPropCenteredMomentumKernel, constants), 0),
      2 - 0.5 * (0.8 * 0.75 + 0.7 / (sqrt(w2) + 0.01)),
    );
    const inside: StaticArray<f32> = [1, 0.1, 0.5, 1, 0.9, 0.1, 0, 0.01];
    expectNear(at(applied(RMSPropKernel, inside), 0), 2 - (0.5 * 0.7) / sqrt(v + 0.01));
  });

  it('Adadelta and AdaMax', () => {
    const adadelta: StaticArray<f32> = [1, 0.1, 0.5, 0.9, 0.8, 0.2, 0.01];
    const v = 0.8 * 0.75 + 0.2 * 0.49;
    const u = (0.7 * sqrt(0.25 + 0.01)) / sqrt(v + 0.01);
    const d = applied(AdadeltaKernel, adadelta);
    expectNear(at(d, 2), 0.8 * 0.25 + 0.2 * u * u);
    expectNear(at(d, 3), v);
    expectNear(at(d, 0), 1.8 - 0.5 * u);
    const adamax: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.5, 0.01, 0.9];
    const m = applied(AdamaxKernel, adamax);
    expectNear(at(m, 3), max(0.99 * 0.75, 0.71));
    expectNear(at(m, 0), 1.8 - (0.5 * (0.9 * 0.25 + 0.1 * 0.7)) / (0.99 * 0.75));
  });

  it('Muon, whose move is left to orthogonalize.ts', () => {
    const d = applied(MuonKernel, [1, 0.1, 0.9, 0.1, 0.1, 0.9, 0.8, 0.5]);
    const m = 0.9 * 0.25 + 0.1 * 0.7;
    expectNear(at(d, 2), m);
    expectNear(at(d, 3), 0.1 * 0.7 + 0.9 * m);
    expectNear(at(d, 0), 1.6);
  });

  it('the Adam family', () => {
    const m = 0.9 * 0.25 + 0.1 * 0.7;
    const v = 0.99 * 0.75 + 0.01 * 0.49;
    const adam: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.5, 2, 0.01, 0.9];
    expectNear(at(applied(AdamKernel, adam), 0), 1.8 - (0.5 * m) / (2 * sqrt(v) + 0.01));
    expectNear(at(applied(AMSGradKernel, adam), 0), 1.8 - (0.5 * m) / (2 * sqrt(1.5) + 0.01));
    const s = 0.99 * 0.75 + 0.01 * (0.7 - m) * (0.7 - m) + 0.01;
    expectNear(at(applied(AdaBeliefKernel, adam), 0), 1.8 - (0.5 * m) / (2 * sqrt(s) + 0.01));
    const nadam: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.3, 0.4, 2, 0.01, 0.9];
    expectNear(
      at(applied(NAdamKernel, nadam), 0),
      1.8 - (0.3 * 0.7 + 0.4 * m) / (2 * sqrt(v) + 0.01),
    );
    const radam: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.3, 0.4, 0.01, 0.9];
    expectNear(at(applied(RAdamKernel, radam), 0), 1.8 - m * (0.3 / (sqrt(v) + 0.01) + 0.4));
    const adabound: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.5, 0.01, 0.2, 0.4, 0.9];
    expectNear(at(applied(AdaBoundKernel, adabound), 0), 1.8 - m * 0.4);
  });

  it('Lion', () => {
    const d = applied(LionKernel, [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.5, 0.9]);
    expectNear(at(d, 2), 0.99 * 0.25 + 0.01 * 0.7);
    expectNear(at(d, 0), 1.8 - 0.5);
  });

  it('Schedule-Free AdamW', () => {
    const d = applied(ScheduleFreeKernel, [1, 0.99, 0.01, 2, 0.01, 0.5, 0.1, 0.3, 0.22]);
    const v = 0.99 * 0.75 + 0.01 * 0.25;
    const z = 0.25 - 0.5 * (0.5 / (2 * sqrt(v) + 0.01) + 0.1 * 2);
    expectNear(at(d, 2), z);
    // β1 = 0.8, c = 0.3, k = 0.5·(0.2 + 0.8·0.3): y = 0.2·z + 0.8·x with x of the old y and z
    const x = 0.7 * ((2 - 0.2 * 0.25) / 0.8) + 0.3 * z;
    expectNear(at(d, 0), 0.2 * z + 0.8 * x);
  });
});
