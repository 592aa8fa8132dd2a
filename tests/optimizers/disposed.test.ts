/**
 * Parameters whose memory was given back: nothing reads or writes it through the optimizers that
 * had them.
 */
import { describe, expect, it } from 'vitest';
import {
  createOptimizer,
  DisposedError,
  type OptimizerName,
  optimizerNames,
  type Runtime,
} from '../../src/index';
import { createModel, dense } from '../../src/nn';
import { BACKENDS, simd, withRuntime } from '../support/backends';
import { caught } from '../support/errors';

const modelOf = (runtime: Runtime, seed: number) =>
  createModel(runtime, { inputSize: 2, layers: [dense(2)], batchSize: 4, seed });

async function orphan(runtime: Runtime, name: OptimizerName) {
  const old = await modelOf(runtime, 1);
  const optimizer = await createOptimizer(name, old.parameters, { runtime, lr: 1 } as never);
  optimizer.step();
  const { grads, params } = optimizer;
  const result = optimizer.stateDict();
  old.dispose();
  return { optimizer, grads, params, result, old };
}

describe.each(optimizerNames())('%s after model.dispose()', (name) => {
  it.each(BACKENDS)(
    'throws DisposedError everywhere and leaves memory alone, on $name',
    async (backend) => {
      await withRuntime(backend, async (runtime) => {
        const { optimizer, grads, params, result } = await orphan(runtime, name);
        const fresh = await modelOf(runtime, 2);
        for (const tensor of Object.values(fresh.parameters)) tensor.grad.data.fill(0.25);
        const bits = () =>
          JSON.stringify(
            Object.values(fresh.parameters).map(({ value, grad }) => [
              [...value.data],
              [...grad.data],
            ]),
          );
        const before = bits();
        const zeros = { 'dense1.weight': new Float32Array(4), 'dense1.bias': new Float32Array(2) };
        for (const use of [
          () => optimizer.step(),
          () => optimizer.step(zeros),
          () =>
            optimizer.stepInto({
              step: 0,
              skipped: false,
              gradL1Norm: 0,
              gradNorm: 0,
              nonFinite: 0,
              reason: null,
            }),
          () => optimizer.stateDict(),
          () => optimizer.loadStateDict(result),
          () => optimizer.zeroGrad(),
          () => optimizer.addParamGroup({ params: { more: { shape: [3] } } }),
          () => optimizer.memory(),
          () => optimizer.registered,
          () => grads['dense1.weight'],
          () => params['dense1.bias'],
          () => optimizer.evaluationParams['dense1.weight'],
        ]) {
          const error = caught(use);
          expect(error, String(use)).toBeInstanceOf(DisposedError);
          expect((error as Error).message).toContain('dense1.');
        }
        await expect(optimizer.stepAsync()).rejects.toThrow(DisposedError);
        expect(bits()).toBe(before);
        optimizer.dispose();
        optimizer.dispose();
        expect(bits(), 'after its own dispose()').toBe(before);
      });
    },
  );
});

describe('a parameter', () => {
  it('knows that its memory was given back, and cannot be given to an optimizer then', async () => {
    await withRuntime(simd, async (runtime) => {
      const { old } = await orphan(runtime, 'sgd');
      const weight = old.parameters['dense1.weight']!;
      expect(weight.disposed).toBe(true);
      expect(() => weight.value.data).toThrow(DisposedError);
      expect(() => weight.grad.data).toThrow(DisposedError);
      const used = runtime.info.usedBytes;
      await expect(createOptimizer('adam', old.parameters, { runtime })).rejects.toThrow(
        DisposedError,
      );
      expect(runtime.info.usedBytes).toBe(used);
    });
  });

  it('of another model does not stop the optimizer of this one', async () => {
    await withRuntime(simd, async (runtime) => {
      const [one, two] = [await modelOf(runtime, 1), await modelOf(runtime, 2)];
      const optimizer = await createOptimizer('adam', two.parameters, { runtime });
      one.dispose();
      expect(optimizer.step().step).toBe(1);
      optimizer.dispose();
      expect(two.parameters['dense1.weight']!.disposed).toBe(false);
    });
  });
});
