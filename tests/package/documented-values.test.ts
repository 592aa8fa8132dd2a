/**
 * The defaults and ranges in the doc comments of the built declarations are those of the built
 * code: every `@default` is what an optimizer without the option has, every number at the end of an
 * interval is accepted inside and refused outside.
 */
import { describe, expect, it } from 'vitest';
import { loadDeclarations, ROOT, resolveAlias } from './declarations';
import { type DocumentedOption, documentedOptions, endsOf, type Range } from './documented-values';

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

async function create(optimizer: Name, options: object) {
  const data = new Float32Array([1, 2]);
  // Muon gives a vector to AdamW, in a group with other values.
  const params = { w: { shape: optimizer === 'muon' ? [1, 2] : [2], data } };
  return createOptimizer(optimizer, params, { ...options, runtime } as never);
}

/**
 * What a group or the state dict of an optimizer has under that name; undefined for null, which
 * stands there for options that were not given.
 */
async function defaultOf(optimizer: Name, option: string, options: object = {}): Promise<unknown> {
  const created = await create(optimizer, options);
  try {
    const { options: fixed, groups } = created.stateDict();
    return groups[0]![option] ?? fixed[option] ?? undefined;
  } finally {
    created.dispose();
  }
}

it('has options of every optimizer', () => {
  expect(OPTIONS.map(({ optimizer }) => optimizer).sort()).toEqual(optimizerNames().sort());
  for (const { optimizer, options } of OPTIONS) {
    const names = options.map(({ name }) => name);
    expect(names, optimizer).toEqual(expect.arrayContaining(['lr', 'weightDecay', 'seed']));
  }
});

/** Options that neither groups nor state dicts show, but for the seed of compact state. */
const HIDDEN = ['onNonFinite', 'seed', 'initialAccumulator', 'adamLr'];

describe('the default of', () => {
  const rows = ROWS.filter(([, name]) => name !== 'groups');
  it.each(rows)('%s: %s', async (optimizer, name, option) => {
    expect(option.defaultText, 'a literal, or none').toBeDefined();
    expect(option.hasDefault, `a literal and nothing else: ${option.defaultText}`).toBe(true);
    const stated = option.default === undefined ? {} : { [name]: option.default };
    const own = await defaultOf(optimizer, name);
    const given = await defaultOf(optimizer, name, { ...BESIDE[name], ...stated });
    expect(given).toEqual(own);
    // The default of a hidden option is accepted, at least.
    expect(own).toEqual(HIDDEN.includes(name) ? undefined : option.default);
  });
});

/** Whether an optimizer accepts the value of an option. */
async function accepts(optimizer: Name, name: string, value: unknown): Promise<boolean> {
  try {
    (await create(optimizer, { ...BESIDE[name], [name]: value })).dispose();
    return true;
  } catch (error) {
    if (error instanceof ArgumentError && error.argument.startsWith(name)) return false;
    throw error;
  }
}

/** Whether a number is in the range of an option; of a pair, beside some other number. */
async function isIn(
  optimizer: Name,
  { name, pair }: DocumentedOption,
  { component }: Range,
  x: number,
): Promise<boolean> {
  if (!pair) return accepts(optimizer, name, x);
  for (const other of [0, 0.5, 0.99]) {
    if (component !== 1 && (await accepts(optimizer, name, [x, other]))) return true;
    if (component !== 0 && (await accepts(optimizer, name, [other, x]))) return true;
  }
  return false;
}

describe('the range of', () => {
  const rows = ROWS.filter(([, , option]) => option.numeric || option.pair);
  it.each(rows)('%s: %s', async (optimizer, _, option) => {
    expect(option.ranges.length, 'an interval').toBeGreaterThan(0);
    for (const range of option.ranges) {
      const { inside, outside } = endsOf(range);
      for (const x of inside)
        expect(await isIn(optimizer, option, range, x), `${x} in ${range.text}`).toBe(true);
      for (const x of outside)
        expect(await isIn(optimizer, option, range, x), `${x} in ${range.text}`).toBe(false);
    }
  });
});
