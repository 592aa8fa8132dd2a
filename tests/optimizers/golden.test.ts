/** Every case of the golden file, on every backend. */
import { describe, expect, it } from 'vitest';
import { optimizerNames } from '../../src/index';
import { BACKENDS, bitsOf, oracle, withRuntime } from '../support/backends';
import { loadGolden } from '../support/golden';
import { deviations, runGolden } from '../support/golden-run';

const cases = loadGolden().filter(({ optimizer }) =>
  (optimizerNames() as string[]).includes(optimizer),
);

it('has cases of every optimizer', () => {
  expect(new Set(cases.map(({ optimizer }) => optimizer))).toEqual(new Set(optimizerNames()));
  expect(cases.length).toBe(loadGolden().length);
});

describe.each(cases.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
  it('follows the float64 reference, with the same bits on every backend', async () => {
    const reference = await withRuntime(oracle, (runtime) => runGolden(golden, runtime));
    expect(deviations(golden, reference)).toEqual([]);
    for (const backend of BACKENDS) {
      const other = await withRuntime(backend, (runtime) => runGolden(golden, runtime));
      for (const [t, values] of reference.values) {
        expect(bitsOf(other.values.get(t) as Float32Array), `${backend.name}, step ${t}`).toEqual(
          bitsOf(values),
        );
      }
    }
  });
});
