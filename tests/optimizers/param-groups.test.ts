/** Groups that join later. */
import { describe, expect, it } from 'vitest';
import { AdaL } from '../../src/index';
import { oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { anyOf, expectArgumentError } from '../support/errors';
import { fillRough } from '../support/gradients';
import { two } from '../support/parameters';
import { snapshot } from '../support/snapshot';

describe.each([oracle, simd, THREAD_CASES[1]])('addParamGroup on $name', (backend) => {
  it('goes on as if the group had been there, frozen', async () => {
    await withRuntime(backend, (runtime) => {
      const late = { c: new Float32Array([5, 6, 7]) };
      const grown = new AdaL(runtime, two());
      const whole = new AdaL(runtime, [{ params: two() }, { params: late, lr: 0.5, frozen: true }]);
      for (let t = 1; t <= 5; t++) {
        for (const optimizer of [grown, whole]) {
          fillRough(optimizer, t);
          optimizer.step();
        }
      }
      const { w } = grown.params;
      const group = grown.addParamGroup({ params: late, lr: 0.5 });
      expect(group).toBe(grown.paramGroups[1]);
      expect(group.index).toBe(1);
      whole.paramGroups[1].frozen = false;
      expect([...grown.params.w]).toEqual([...w]);
      for (let t = 6; t <= 20; t++) {
        for (const optimizer of [grown, whole]) {
          fillRough(optimizer, t);
          optimizer.step();
        }
      }
      expect(snapshot(grown)).toEqual(snapshot(whole));
      expect(grown.stateDict().state.c.step).toBe(15);
    });
  });

  it('refuses what does not fit and changes nothing', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, two());
      fillRough(optimizer, 1);
      optimizer.step();
      const before = snapshot(optimizer);
      const { usedBytes } = runtime.info;
      const add = (group: unknown) => () => optimizer.addParamGroup(anyOf(group));
      expectArgumentError(
        add({ params: { w: new Float32Array(3) } }),
        'paramGroups[1].params.w',
        '"w" again',
      );
      expectArgumentError(
        add({ params: { c: new Float64Array(3) } }),
        'params.c',
        'Float64Array(3)',
      );
      expectArgumentError(add({ params: { c: new Float32Array(3) }, lr: -1 }), 'lr', '-1');
      expectArgumentError(add({ params: {} }), 'paramGroups[1].params', 'an object');
      expectArgumentError(add({}), 'paramGroups[1].params', 'undefined');
      expectArgumentError(add(undefined), 'paramGroups[1]', 'undefined');
      expect(snapshot(optimizer)).toEqual(before);
      expect(runtime.info.usedBytes).toBe(usedBytes);
      expect(optimizer.paramGroups.length).toBe(1);
      expect(optimizer.step().step).toBe(2);
    });
  });
});
