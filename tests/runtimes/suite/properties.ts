/**
 * Tests the promises about every step: equal bits, all or nothing, any gradient scale, no drift,
 * resumable.
 */

import { decodeCheckpoint, encodeCheckpoint } from '../../../src/checkpoint';
import {
  AdaL,
  ArgumentError,
  BusyError,
  createOptimizer,
  DisposedError,
  NonFiniteGradientError,
  type Optimizer,
  type Runtime,
  type StateDict,
} from '../../../src/index';
import {
  COMPACT_CASES,
  gradientsAt,
  initialParams,
  RULE_CASES,
  type RuleCase,
} from '../../support/rules';
import { caught, check, checkBits, checkEqual, type Recorder } from './checks';
import { createAlternating, withRuntime } from './configuration';
import { checkSameState } from './state';

function create([, name, options]: RuleCase, runtime: Runtime): Promise<Optimizer> {
  return createOptimizer(name, initialParams(), { runtime, ...options });
}

export async function testProperties(recorder: Recorder, runtime: Runtime): Promise<void> {
  for (const each of RULE_CASES) {
    await recorder.test(`bits of the oracle: ${each[0]}`, () => sameBits(each, runtime));
    await recorder.test(`atomic step: ${each[0]}`, () => atomicStep(each, runtime));
  }
  for (const each of [...RULE_CASES, ...COMPACT_CASES]) {
    await recorder.test(`checkpoint and resume: ${each[0]}`, () => resume(each, runtime));
  }
  await recorder.test('gradients times 2^k give the same weights', () => scaleInvariance(runtime));
  await recorder.test('zero gradients move nothing, and later ones are sound', () =>
    zeroGradients(runtime),
  );
  await recorder.test('wrong arguments and uses are refused by name', () => refusals(runtime));
  await recorder.test('memory grows under live optimizers', () => growth(runtime));
  await recorder.test('a zero and a negative zero survive a step', () => negativeZero(runtime));
}

/** The oracle's result of each case, which is the same for every configuration. */
const references = new Map<string, StateDict>();

async function sameBits(each: RuleCase, runtime: Runtime): Promise<void> {
  const run = async (place: Runtime) => {
    const optimizer = await create(each, place);
    const advance = createAlternating();
    for (let t = 1; t <= 18; t++) await advance(optimizer, gradientsAt(t, t > 12 ? 1e-22 : 1));
    const state = optimizer.stateDict();
    optimizer.dispose();
    return state;
  };
  const reference = references.get(each[0]) ?? (await withRuntime('oracle', run));
  references.set(each[0], reference);
  checkSameState(await run(runtime), reference, 'after 18 steps');
}

async function atomicStep(each: RuleCase, runtime: Runtime): Promise<void> {
  const optimizer = await create(each, runtime);
  for (let t = 1; t <= 3; t++) optimizer.step(gradientsAt(t));
  const before = optimizer.stateDict();
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    for (const [name, index] of [
      ['a', 0],
      ['c', 8191],
      ['c', 8196],
    ] as const) {
      const grads = gradientsAt(4);
      grads[name][index] = bad;
      for (const step of [() => optimizer.step(grads), () => optimizer.stepAsync(grads)]) {
        const error = await caught(step);
        check(error instanceof NonFiniteGradientError, `a NonFiniteGradientError, got ${error}`);
        checkEqual([error.parameter, error.count], [name, 1], 'offender');
        checkSameState(optimizer.stateDict(), before, `${bad} in ${name}[${index}]`);
      }
    }
  }
  optimizer.dispose();
}

/** Passes a state dict through the bytes of a file, as any store keeps it. */
async function resume(each: RuleCase, runtime: Runtime): Promise<void> {
  const whole = await create(each, runtime);
  for (let t = 1; t <= 9; t++) whole.step(gradientsAt(t));
  const saved = encodeCheckpoint(whole.stateDict());
  const resumed = await create(each, runtime);
  resumed.loadStateDict(decodeCheckpoint(saved).stateDict);
  const advance = createAlternating();
  for (let t = 10; t <= 20; t++) {
    whole.step(gradientsAt(t));
    await advance(resumed, gradientsAt(t));
  }
  checkSameState(resumed.stateDict(), whole.stateDict(), 'resumed');
  whole.dispose();
  resumed.dispose();
}

async function scaleInvariance(runtime: Runtime): Promise<void> {
  const run = (k: number): Float32Array => {
    const optimizer = new AdaL(runtime, { w: initialParams().b }, { eps: 0 });
    for (let t = 1; t <= 40; t++)
      optimizer.step({ w: gradientsAt(t, t % 13 === 5 ? 0 : 2 ** k).b });
    const weights = optimizer.params.w.slice();
    optimizer.dispose();
    return weights;
  };
  const base = run(0);
  for (let k = -60; k <= 60; k += 4) checkBits(run(k), base, `k = ${k}`);
}

async function zeroGradients(runtime: Runtime): Promise<void> {
  for (const eps of [0, 1e-8]) {
    const optimizer = new AdaL(runtime, { w: new Float32Array(20).fill(1) }, { eps });
    const advance = createAlternating();
    for (let t = 0; t < 20; t++) await advance(optimizer);
    checkBits(optimizer.params.w, new Float32Array(20).fill(1), 'weights after zero gradients');
    for (const exponent of [-30, -20, -10, -3, 0, 3, 10, 10, -30, 0]) {
      await advance(optimizer, {
        w: Float32Array.from({ length: 20 }, (_, i) => (i % 3 ? (i - 9.5) * 10 ** exponent : 0)),
      });
      check(
        optimizer.params.w.every(Number.isFinite),
        `finite weights after gradients of 1e${exponent}`,
      );
    }
    check(
      optimizer.params.w[0] === 1 && optimizer.params.w[1] !== 1,
      'only what had gradients to move',
    );
    optimizer.dispose();
  }
}

async function refusals(runtime: Runtime): Promise<void> {
  const wrong = await caught(
    () => new AdaL(runtime, { w: new Float32Array(4) }, { betas: [0.9, 1] }),
  );
  check(
    wrong instanceof ArgumentError && wrong.code === 'ERR_ARGUMENT',
    `an ArgumentError, got ${wrong}`,
  );
  const optimizer = new AdaL(runtime, { w: new Float32Array(40_000) });
  const step = optimizer.stepAsync();
  check(
    (await caught(() => optimizer.params.w)) instanceof BusyError,
    'a BusyError while a stepAsync is under way',
  );
  await step;
  optimizer.dispose();
  check(
    (await caught(() => optimizer.step())) instanceof DisposedError,
    'a DisposedError after dispose()',
  );
}

async function growth(runtime: Runtime): Promise<void> {
  const run = async (place: Runtime) => {
    const optimizer = new AdaL<string>(place, { w: initialParams().c });
    const advance = createAlternating();
    for (let t = 1; t <= 4; t++) {
      optimizer.addParamGroup({ params: { [`more${t}`]: { shape: [60_000] } } });
      for (const [i, name] of Object.keys(optimizer.grads).entries())
        optimizer.grads[name].fill(t - i - 0.5);
      await advance(optimizer);
    }
    const state = optimizer.stateDict();
    optimizer.dispose();
    return state;
  };
  checkSameState(await run(runtime), await withRuntime('oracle', run), 'after growth');
}

async function negativeZero(runtime: Runtime): Promise<void> {
  const optimizer = new AdaL(runtime, { w: new Float32Array([-0, 0, 1]) });
  optimizer.step({ w: new Float32Array([0, -0, 1]) });
  check(
    Object.is(optimizer.params.w[0], -0) && Object.is(optimizer.params.w[1], 0),
    '-0 and 0 as they were',
  );
  optimizer.dispose();
}
