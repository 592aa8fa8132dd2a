/**
 * From creation to disposal: runtimes of their own, busy while a step is under way, memory given
 * back or refused.
 */
import { describe, expect, it } from 'vitest';
import {
  AdaL,
  BusyError,
  createOptimizer,
  createRuntime,
  DisposedError,
  emptyResult,
  Optimizer,
  OutOfMemoryError,
} from '../../src/index';
import { BACKENDS, simd, withRuntime } from '../support/backends';
import { caught } from '../support/errors';
import { fillRough } from '../support/gradients';
import { two } from '../support/parameters';
import { snapshot } from '../support/snapshot';

describe('createOptimizer', () => {
  it('without a runtime makes its own, which ends with it', async () => {
    const optimizer = await createOptimizer('adal', two(), { lr: 0.1 });
    const { runtime } = optimizer;
    expect(optimizer).toBeInstanceOf(AdaL);
    expect(optimizer).toBeInstanceOf(Optimizer);
    expect(optimizer.name).toBe('adal');
    expect(runtime.info).toMatchObject({ backend: 'simd', threads: 1 });
    expect(runtime.info.threadsReason).toContain('7 parameters');
    optimizer.step({ w: new Float32Array(3), b: new Float32Array(4) });
    optimizer.dispose();
    expect(runtime.disposed).toBe(true);
  });

  it('with a runtime leaves it alive', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await createOptimizer('adal', two(), { runtime });
      expect(optimizer.runtime).toBe(runtime);
      optimizer.dispose();
      expect(runtime.disposed).toBe(false);
    });
  });

  it('takes param groups', async () => {
    const optimizer = await createOptimizer('adal', [
      { params: two() },
      { params: { c: { shape: [] } }, lr: 0.5 },
    ]);
    expect(optimizer.paramGroups.map(({ index, params, lr }) => ({ index, params, lr }))).toEqual([
      { index: 0, params: ['w', 'b'], lr: 3.162e-2 },
      { index: 1, params: ['c'], lr: 0.5 },
    ]);
    expect(optimizer.params.c.length, 'a scalar').toBe(1);
    optimizer.dispose();
  });
});

describe.each(BACKENDS)('lifetimes on $name', (backend) => {
  it('a disposed optimizer says so, and gives all memory back', async () => {
    await withRuntime(backend, async (runtime) => {
      const { usedBytes } = runtime.info;
      const optimizer = new AdaL(runtime, two());
      const dict = optimizer.stateDict();
      expect(runtime.info.usedBytes).toBeGreaterThan(usedBytes);
      optimizer.dispose();
      optimizer.dispose();
      expect(runtime.info.usedBytes).toBe(usedBytes);
      for (const use of [
        () => optimizer.step(),
        () => optimizer.stepInto(emptyResult()),
        () => optimizer.params.w,
        () => optimizer.grads.b,
        () => optimizer.zeroGrad(),
        () => optimizer.stateDict(),
        () => optimizer.loadStateDict(dict),
        () => optimizer.addParamGroup({ params: { c: new Float32Array(1) } }),
      ]) {
        const error = caught(use);
        expect(error).toBeInstanceOf(DisposedError);
        expect(error).toMatchObject({
          code: 'ERR_DISPOSED',
          message: "optimizer 'adal' was used after dispose()",
        });
      }
      await expect(optimizer.stepAsync()).rejects.toBeInstanceOf(DisposedError);
    });
  });

  it('a disposed runtime ends what lives in it', async () => {
    const runtime = await createRuntime(backend.options);
    const optimizer = new AdaL(runtime, two());
    runtime.dispose();
    runtime.dispose();
    expect(runtime.disposed).toBe(true);
    expect(() => optimizer.step()).toThrow(DisposedError);
    expect(() => optimizer.params.w).toThrow(DisposedError);
    expect(() => new AdaL(runtime, two())).toThrow(DisposedError);
    optimizer.dispose();
  });

  it('while stepAsync is under way everything else is busy', async () => {
    await withRuntime(backend, async (runtime) => {
      const optimizer = new AdaL(runtime, { w: { shape: [300_000] } });
      const neighbour = new AdaL(runtime, two());
      optimizer.grads.w.fill(1);
      const dict = optimizer.stateDict();
      const straight = snapshot(optimizer);
      const promise = optimizer.stepAsync();
      for (const use of [
        () => optimizer.step(),
        () => optimizer.params.w,
        () => optimizer.grads.w,
        () => optimizer.dispose(),
        () => optimizer.zeroGrad(),
        () => optimizer.stateDict(),
        () => optimizer.loadStateDict(dict),
        () => optimizer.addParamGroup({ params: { c: new Float32Array(1) } }),
        () => neighbour.step(),
        () => neighbour.params.w,
        () => neighbour.dispose(),
        () => new AdaL(runtime, two()),
        () => runtime.dispose(),
      ]) {
        const error = caught(use);
        expect(error, String(use)).toBeInstanceOf(BusyError);
        expect(error).toMatchObject({ code: 'ERR_BUSY' });
      }
      await expect(optimizer.stepAsync()).rejects.toBeInstanceOf(BusyError);
      expect(await promise).toMatchObject({ step: 1, skipped: false, gradNorm: 300_000 });
      expect(snapshot(optimizer)).not.toEqual(straight);
      expect(optimizer.step()).toMatchObject({ step: 2 });
      expect(neighbour.step().step).toBe(1);
    });
  });

  it('too little memory: the error has bytes wanted and available; nothing leaks', async () => {
    const maxMemory = 20 * 65_536;
    await withRuntime({ ...backend, options: { ...backend.options, maxMemory } }, (runtime) => {
      expect(runtime.info.maxMemoryBytes).toBe(maxMemory);
      const kept = new AdaL(runtime, { w: { shape: [1000] } });
      fillRough(kept, 1);
      kept.step();
      const before = snapshot(kept);
      const { usedBytes } = runtime.info;
      // 4 arrays of n floats: fails at the parameter, the gradient, and each state array in turn.
      for (const n of [400_000, 250_000, 150_000, 90_000, 82_000]) {
        const error = caught(
          () => new AdaL(runtime, { small: new Float32Array(5), w: { shape: [n] } }),
        );
        expect(error, String(n)).toBeInstanceOf(OutOfMemoryError);
        const { wanted, available, message, code } = error as OutOfMemoryError;
        expect(code).toBe('ERR_OUT_OF_MEMORY');
        expect(wanted).toBe(4 * n);
        expect(available).toBeLessThan(wanted);
        expect(available).toBeGreaterThanOrEqual(0);
        for (const bytes of [wanted, available, maxMemory]) expect(message).toContain(`${bytes}`);
        expect(runtime.info.usedBytes).toBe(usedBytes);
        const add = () => kept.addParamGroup({ params: { more: { shape: [n] } } });
        expect(caught(add)).toBeInstanceOf(OutOfMemoryError);
        expect(runtime.info.usedBytes).toBe(usedBytes);
        expect(Object.keys(kept.params)).toEqual(['w']);
      }
      expect(snapshot(kept)).toEqual(before);
      expect(kept.step().step).toBe(2);
      expect(new AdaL(runtime, { w: { shape: [70_000] } }).step().skipped).toBe(false);
    });
  });
});
