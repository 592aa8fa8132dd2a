/** What every optimizer promises, whatever its rule. */
import { describe, expect, it } from 'vitest';
import {
  createOptimizer,
  NonFiniteGradientError,
  type Optimizer,
  type OptimizerName,
} from '../../src/index';
import type { Runtime } from '../../src/runtime/runtime';
import {
  type BACKENDS,
  bitsOf,
  oracle,
  simd,
  THREAD_CASES,
  withRuntime,
} from '../support/backends';
import { gradientsAt, initialParams, RULE_CASES } from '../support/rules';

async function create(
  name: OptimizerName,
  runtime: Runtime,
  options: Record<string, unknown>,
): Promise<Optimizer> {
  return createOptimizer(name, initialParams(), { runtime, ...options });
}

/** All parameters and state arrays of an optimizer, as bits. */
function bits(optimizer: Optimizer): Record<string, Uint32Array> {
  const { params, state } = optimizer.stateDict();
  const found: Record<string, Uint32Array> = {};
  for (const [name, { data }] of Object.entries(params)) found[name] = bitsOf(data);
  for (const [name, { arrays }] of Object.entries(state)) {
    for (const [slot, data] of Object.entries(arrays)) found[`${name}.${slot}`] = bitsOf(data);
  }
  return found;
}

describe.each(RULE_CASES)('%s', (_, name, options) => {
  it('has the same bits on every backend and thread count, past a flush', async () => {
    const run = (backend: (typeof BACKENDS)[number]) => {
      return withRuntime(backend, async (runtime) => {
        const optimizer = await create(name, runtime, options);
        for (let t = 1; t <= 18; t++) optimizer.step(gradientsAt(t, t > 12 ? 1e-22 : 1));
        return bits(optimizer);
      });
    };
    const reference = await run(oracle);
    for (const backend of [simd, ...THREAD_CASES])
      expect(await run(backend), backend.name).toEqual(reference);
  });

  it('leaves alone what never had a gradient, also without eps', async () => {
    await withRuntime(simd, async (runtime) => {
      const bare = ['sgd', 'lion', 'adadelta'].includes(name) ? options : { ...options, eps: 0 };
      const optimizer = await create(name, runtime, {
        ...bare,
        weightDecay: 0,
        ...('l2' in options ? { l2: 0 } : {}),
      });
      for (let t = 1; t <= 20; t++) optimizer.step(gradientsAt(t));
      const before = initialParams();
      for (const [key, values] of Object.entries(optimizer.params)) {
        expect(values.every(Number.isFinite), key).toBe(true);
        const moved = values.filter((value, i) => i % 5 === 3 && value !== before[key][i]);
        expect(moved.length, key).toBe(0);
      }
    });
  });

  it('refuses a non-finite gradient without changing anything', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await create(name, runtime, options);
      for (let t = 1; t <= 3; t++) optimizer.step(gradientsAt(t));
      const before = bits(optimizer);
      const bad = gradientsAt(4);
      bad.c[8192] = Number.NaN;
      expect(() => optimizer.step(bad)).toThrow(NonFiniteGradientError);
      expect(bits(optimizer)).toEqual(before);
      expect(optimizer.stepCount).toBe(3);
    });
  });

  it('goes on from a state dict as if nothing had happened', async () => {
    await withRuntime(simd, async (runtime) => {
      const whole = await create(name, runtime, options);
      for (let t = 1; t <= 9; t++) whole.step(gradientsAt(t));
      const resumed = await create(name, runtime, options);
      resumed.loadStateDict(whole.stateDict());
      for (let t = 10; t <= 20; t++) {
        whole.step(gradientsAt(t));
        resumed.step(gradientsAt(t));
      }
      expect(bits(resumed)).toEqual(bits(whole));
    });
  });

  // The others square gradients: AdaL scales them first, SGD, Lion and AdaMax have no squares.
  const takesAny = ['adal', 'sgd', 'lion', 'adamax'].includes(name);

  it(`${takesAny ? 'takes' : 'skips'} gradients whose squares overflow, and goes on`, async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await create(name, runtime, {
        ...options,
        ...(name === 'adal' ? { eps: 0 } : {}),
        onNonFinite: 'skip',
      });
      const before = bits(optimizer);
      expect(optimizer.step(gradientsAt(1, 1e25))).toMatchObject(
        takesAny ? { skipped: false, reason: null } : { skipped: true, reason: 'overflow' },
      );
      if (takesAny) expect(bits(optimizer)).not.toEqual(before);
      else expect(bits(optimizer)).toEqual(before);
      for (let t = 2; t <= 40; t++) expect(optimizer.step(gradientsAt(t)).skipped).toBe(false);
      for (const values of Object.values(optimizer.params))
        expect(values.every(Number.isFinite)).toBe(true);
    });
  });

  it('keeps padding zero', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await create(name, runtime, { ...options, weightDecay: 0.1 });
      for (let t = 1; t <= 17; t++) optimizer.step(gradientsAt(t));
      const { buffer, byteOffset, length } = optimizer.params.b;
      const padding = new Float32Array(buffer as ArrayBuffer, byteOffset + 4 * length, 48 - length);
      expect([...padding]).toEqual(Array(48 - length).fill(0));
    });
  });
});

it('a dead coordinate leaves no subnormal moments behind', async () => {
  await withRuntime(simd, async (runtime) => {
    const optimizer = await createOptimizer('adam', { w: new Float32Array(16) }, { runtime });
    optimizer.step({ w: new Float32Array(16).fill(1) });
    for (let t = 0; t < 2000; t++) optimizer.step({ w: new Float32Array(16) });
    expect([...(optimizer.stateDict().state.w.arrays.exp_avg as Float32Array)]).toEqual(
      Array(16).fill(0),
    );
  });
});
