/**
 * The defaults and ranges in the doc comments of the built declarations are those of the built code:
 * every `@default` is what an optimizer without the option has, every number at the end of an
 * interval is accepted inside and refused outside.
 */
import { describe, expect, it } from 'vitest';
import { loadDeclarations, ROOT, resolveAlias } from './declarations';
import { documentedOptions, endsOf } from './documented-values';

type Library = typeof import('../../src/index');
const library = (await import(`${ROOT}/dist/node/index.js`)) as Library;
const { ArgumentError, createOptimizer, createRuntime, optimizerNames } = library;
type Name = ReturnType<typeof optimizerNames>[number];

const { checker, entries } = loadDeclarations();
const runtime = await createRuntime({ backend: 'simd' });

const optionsByName = entries.get('adal-wasm')!.find(({ name }) => name === 'OptimizerOptions')!;
const OPTIONS = checker
  .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(resolveAlias(checker, optionsByName)))
  .map((property) => ({
    optimizer: property.name as Name,
    options: documentedOptions(checker, checker.getTypeOfSymbol(property)),
  }));
const ROWS = OPTIONS.flatMap(({ optimizer, options }) =>
  options.map((option) => [optimizer, option.name, option] as const),
);

/** What an option needs beside it. */
const BESIDE: Record<string, object> = {
  dampening: { momentum: 0.9 },
  nesterov: { momentum: 0.9 },
  // A greater product of the two is refused.
  lr: { weightDecay: 0 },
  weightDecay: { lr: 0 },
};
const params = { w: new Float32Array([1, 2]) };

async function create(optimizer: Name, options: object) {
  return createOptimizer(optimizer, params, { ...options, runtime } as never);
}

/** What a group or the state dict of an optimizer has under that name; undefined for neither. */
async function defaultOf(optimizer: Name, option: string, options: object = {}): Promise<unknown> {
  const created = await create(optimizer, options);
  try {
    const { options: fixed, groups } = created.stateDict();
    return groups[0]![option] ?? fixed[option] ?? undefined;
  } finally {
    created.dispose();
  }
}

/** Known to be wrong, to be corrected in src/optimizers: `optimizer.option`. */
const WRONG_DEFAULTS: ReadonlySet<string> = new Set([]);
const WRONG_RANGES: ReadonlySet<string> = new Set([]);

it('has options of every optimizer', () => {
  expect(OPTIONS.map(({ optimizer }) => optimizer).sort()).toEqual(optimizerNames().sort());
  for (const { optimizer, options } of OPTIONS) {
    const names = options.map(({ name }) => name);
    expect(names, optimizer).toEqual(expect.arrayContaining(['lr', 'weightDecay', 'seed']));
  }
});

describe('the default of', () => {
  it.each(ROWS.filter(([, name]) => name !== 'groups'))(
    '%s: %s',
    async (optimizer, name, option) => {
      const check = async () => {
        expect(option.defaultText, 'a literal, or none').toBeDefined();
        expect(option.hasDefault, `a literal and nothing else: ${option.defaultText}`).toBe(true);
        const own = await defaultOf(optimizer, name);
        const beside = {
          ...BESIDE[name],
          ...(option.default === undefined ? {} : { [name]: option.default }),
        };
        // What neither a group nor the fixed options show is at least accepted.
        const given = await defaultOf(optimizer, name, beside);
        if (own === undefined) expect(given === undefined || given === option.default).toBe(true);
        else expect(own).toEqual(option.default);
      };
      if (!WRONG_DEFAULTS.has(`${optimizer}.${name}`)) return check();
      await expect(check()).rejects.toThrow();
    },
  );
});

describe('the range of', () => {
  const numeric = ROWS.filter(([, , option]) => option.numeric || option.pair);
  it.each(numeric)('%s: %s', async (optimizer, name, option) => {
    const check = async () => {
      expect(option.ranges.length, 'an interval').toBeGreaterThan(0);
      for (const range of option.ranges) {
        const { inside, outside } = endsOf(range);
        const accepts = async (value: unknown) => {
          try {
            (await create(optimizer, { ...BESIDE[name], [name]: value })).dispose();
            return true;
          } catch (error) {
            if (error instanceof ArgumentError && error.argument.startsWith(name)) return false;
            throw error;
          }
        };
        const pairsWith = (x: number) =>
          [0, 0.5, 0.99].flatMap((y) => [
            [x, y],
            [y, x],
          ]);
        for (const value of inside) {
          const values = option.pair ? pairsWith(value) : [value];
          const accepted = await Promise.all(values.map(accepts));
          expect(accepted.includes(true), `${value} in ${range.text}`).toBe(true);
        }
        for (const value of outside) {
          const values = option.pair ? pairsWith(value) : [value];
          const accepted = await Promise.all(values.map(accepts));
          expect(accepted.includes(true), `${value} not in ${range.text}`).toBe(false);
        }
      }
    };
    if (!WRONG_RANGES.has(`${optimizer}.${name}`)) return check();
    await expect(check()).rejects.toThrow();
  });
});
