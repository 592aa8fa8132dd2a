import { AdaBelief } from '../adabelief';
import { AdaBound } from '../adabound';
import { Adagrad } from '../adagrad';
import { Adam } from '../adam';
import { AMSGrad } from '../amsgrad';
import { Lion } from '../lion';
import { NAdam } from '../nadam';
import { RAdam } from '../radam';
import { RMSProp, RMSPropCentered, RMSPropCenteredMomentum, RMSPropMomentum } from '../rmsprop';
import { Rule } from '../rule';
import { ScheduleFree } from '../schedule-free';
import { SGD, SGDMomentum } from '../sgd';

/**
 * Five vectors: parameter 2, gradient 0.5, state 0.25, 0.75, 1.5 in every lane; then twelve
 * constants.
 */
function createData(constants: StaticArray<f32>): usize {
  const data = heap.alloc(5 * 16 + 12 * 4);
  const values: StaticArray<f32> = [2.0, 0.5, 0.25, 0.75, 1.5];
  for (let i = 0; i < 5; i++) v128.store(data + (i << 4), f32x4.splat(values[i]));
  for (let i = 0; i < 12; i++)
    store<f32>(data + 80 + (i << 2), i < constants.length ? constants[i] : 0);
  return data;
}

function k(data: usize, index: i32): v128 {
  return f32x4.splat(load<f32>(data + 80 + (index << 2)));
}

/** Applies a rule once; returns the data. */
function applied<R extends Rule>(constants: StaticArray<f32>): usize {
  const d = createData(constants);
  // biome-ignore format: addresses on one line, constants on the next two
  changetype<R>(0).apply(
    d, d + 16, d + 32, d + 48, d + 64,
    k(d, 0), k(d, 1), k(d, 2), k(d, 3), k(d, 4), k(d, 5),
    k(d, 6), k(d, 7), k(d, 8), k(d, 9), k(d, 10), k(d, 11),
  );
  return d;
}

/** Element 2 of vector `index`: 0 the parameter, 2… the state. */
function at(data: usize, index: i32): f64 {
  return <f64>load<f32>(data + (index << 4) + 8);
}

function expectNear(actual: f64, expected: f64): void {
  expect(abs(actual - expected)).toBeLessThan(1e-6 * max(1.0, abs(expected)));
}

// In all: h = 1·0.5 + 0.1·2 = 0.7 where there is coupled L2, θ = 2.
describe('update rules, one element by hand', () => {
  it('SGD', () => {
    expectNear(at(applied<SGD>([1, 0.1, 0.5, 0.9]), 0), 2 * 0.9 - 0.5 * 0.7);
  });

  it('SGD with momentum', () => {
    const d = applied<SGDMomentum>([1, 0.1, 0.5, 0.9, 0.8, 0.6, 1, 0.8]);
    const m = 0.8 * 0.25 + 0.6 * 0.7;
    expectNear(at(d, 2), m);
    expectNear(at(d, 0), 2 * 0.9 - 0.5 * (0.7 + 0.8 * m));
  });

  it('Adagrad', () => {
    const d = applied<Adagrad>([1, 0.1, 0.5, 0.9, 0.01]);
    const v = 0.25 + 0.49;
    expectNear(at(d, 2), v);
    expectNear(at(d, 0), 2 * 0.9 - (0.5 * 0.7) / (sqrt(v) + 0.01));
  });

  it('RMSProp in its four forms', () => {
    const constants: StaticArray<f32> = [1, 0.1, 0.5, 1, 0.9, 0.1, 0.01, 0.8];
    const v = 0.9 * 0.25 + 0.1 * 0.49;
    const u = 0.7 / (sqrt(v) + 0.01);
    expectNear(at(applied<RMSProp>(constants), 0), 2 - 0.5 * u);
    expectNear(at(applied<RMSPropMomentum>(constants), 0), 2 - 0.5 * (0.8 * 0.75 + u));
    const mean1 = 0.9 * 0.75 + 0.1 * 0.7;
    const w1 = max(v - mean1 * mean1, 0.0);
    expectNear(at(applied<RMSPropCentered>(constants), 0), 2 - (0.5 * 0.7) / (sqrt(w1) + 0.01));
    const mean2 = 0.9 * 1.5 + 0.1 * 0.7;
    const w2 = max(v - mean2 * mean2, 0.0);
    expectNear(
      at(applied<RMSPropCenteredMomentum>(constants), 0),
      2 - 0.5 * (0.8 * 0.75 + 0.7 / (sqrt(w2) + 0.01)),
    );
  });

  it('the Adam family', () => {
    const m = 0.9 * 0.25 + 0.1 * 0.7;
    const v = 0.99 * 0.75 + 0.01 * 0.49;
    const adam: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.5, 2, 0.01, 0.9];
    expectNear(at(applied<Adam>(adam), 0), 1.8 - (0.5 * m) / (2 * sqrt(v) + 0.01));
    expectNear(at(applied<AMSGrad>(adam), 0), 1.8 - (0.5 * m) / (2 * sqrt(1.5) + 0.01));
    const s = 0.99 * 0.75 + 0.01 * (0.7 - m) * (0.7 - m) + 0.01;
    expectNear(at(applied<AdaBelief>(adam), 0), 1.8 - (0.5 * m) / (2 * sqrt(s) + 0.01));
    const nadam: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.3, 0.4, 2, 0.01, 0.9];
    expectNear(at(applied<NAdam>(nadam), 0), 1.8 - (0.3 * 0.7 + 0.4 * m) / (2 * sqrt(v) + 0.01));
    const radam: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.3, 0.4, 0.01, 0.9];
    expectNear(at(applied<RAdam>(radam), 0), 1.8 - m * (0.3 / (sqrt(v) + 0.01) + 0.4));
    const adabound: StaticArray<f32> = [1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.5, 0.01, 0.2, 0.4, 0.9];
    expectNear(at(applied<AdaBound>(adabound), 0), 1.8 - m * 0.4);
  });

  it('Lion', () => {
    const d = applied<Lion>([1, 0.1, 0.9, 0.1, 0.99, 0.01, 0.5, 0.9]);
    expectNear(at(d, 2), 0.99 * 0.25 + 0.01 * 0.7);
    expectNear(at(d, 0), 1.8 - 0.5);
  });

  it('Schedule-Free AdamW', () => {
    const d = applied<ScheduleFree>([1, 0.99, 0.01, 2, 0.01, 0.5, 0.1, 0.3, 0.22]);
    const v = 0.99 * 0.75 + 0.01 * 0.25;
    const z = 0.25 - 0.5 * (0.5 / (2 * sqrt(v) + 0.01) + 0.1 * 2);
    expectNear(at(d, 2), z);
    // β1 = 0.8, c = 0.3, k = 0.5·(0.2 + 0.8·0.3): y = 0.2·z + 0.8·x with x of the old y and z
    const x = 0.7 * ((2 - 0.2 * 0.25) / 0.8) + 0.3 * z;
    expectNear(at(d, 0), 0.2 * z + 0.8 * x);
  });
});
