/**
 * The declarations compile in strict projects of others, without `skipLibCheck`, without the DOM
 * and without the types of Node; and they know parameters and hyperparameters by name.
 */
import { describe, expect, it } from 'vitest';
import { createProgram, ENTRIES, errorsOf, SETTINGS } from './declarations';

const everyEntry = [...ENTRIES.keys()]
  .map((name, i) => `import * as e${i} from '${name}';\nexport { e${i} };`)
  .join('\n');

describe.each(Object.entries(SETTINGS))('under %s', (_, options) => {
  it('every entry compiles', () => {
    expect(errorsOf(createProgram({ 'consumer.ts': everyEntry }, options))).toEqual([]);
  });

  it('every entry compiles beside the DOM and the types of Node', () => {
    const full = { ...options, lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'], types: ['node'] };
    // With skipLibCheck, since those of Node and of the DOM need not fit each other.
    const program = createProgram({ 'consumer.ts': everyEntry }, { ...full, skipLibCheck: true });
    expect(errorsOf(program)).toEqual([]);
  });
});

const PRELUDE = `
import { AdaL, Adam, createOptimizer, createRuntime, Lion, SGD } from 'adal-wasm';
import { createModel, dense, fit } from 'adal-wasm/nn';
const runtime = await createRuntime();
const params = { w: new Float32Array(2), b: { shape: [1] } } as const;
`;
const OPTIMIZER = 'const optimizer = new AdaL(runtime, params, {});\n';

const VALID = {
  'options by name': `new AdaL(runtime, params, { lr: 0.1, decay: 'none' });`,
  'parameters of an optimizer': `${OPTIMIZER}export const view: Float32Array = optimizer.params.w;`,
  'gradients by name': `${OPTIMIZER}
    optimizer.step({ w: new Float32Array(2), b: new Float32Array(1) });`,
  'a schedule as lr': `new SGD(runtime, params, { lr: (step) => 1 / step, momentum: 0.9 });`,
  'own hyperparameters of groups': `
    const optimizer = new AdaL(runtime, [{ params, weightDecay: 0.1 }]);
    export const [beta1]: readonly [number, number] = optimizer.paramGroups[0]!.betas;`,
  'the parameters of a model': `
    const model = await createModel(runtime, { inputSize: 2, layers: [dense(1)] });
    const optimizer = new Adam(runtime, model.parameters);
    await fit(model, {} as never, { optimizer, epochs: 1 });`,
  'createOptimizer takes hyperparameters in groups': `
    await createOptimizer('adabound', [{ params, gamma: 1e-3 }], { finalLr: 0.1 });`,
  'hyperparameters of an optimizer by name': `
    const optimizer = await createOptimizer('adal', params);
    export const [beta1]: readonly [number, number] = optimizer.paramGroups[0]!.betas;`,
};
const INVALID = {
  'a misspelt option': `new SGD(runtime, params, { momentun: 1 });`,
  'an option of another optimizer': `new Lion(runtime, params, { eps: 1e-8 });`,
  'a group with an option of another optimizer': `
    new SGD(runtime, [{ params, betas: [0.9, 0.99] }]);`,
  'an unknown option in a matched group': `
    new AdaL(runtime, params, { groups: [{ match: /w/, typo: 1 }] });`,
  'an unknown optimizer': `createOptimizer('adaml', params);`,
  'a number where a string belongs': `new AdaL(runtime, params, { decay: 1 });`,
  'a class that is only a type': `
    import { Runtime } from 'adal-wasm';
    new Runtime();`,
  'a hyperparameter of another optimizer by name': `
    const optimizer = await createOptimizer('lion', params);
    optimizer.paramGroups[0]!.eps;`,
  'writing a fixed hyperparameter': `${OPTIMIZER}optimizer.paramGroups[0]!.betas = [0, 0];`,
  'an unknown parameter': `${OPTIMIZER}optimizer.params.typo;`,
  'an unknown gradient': `${OPTIMIZER}optimizer.grads.typo;`,
  'a gradient of no parameter': `${OPTIMIZER}
    optimizer.step({ w: new Float32Array(2), typo: new Float32Array(1) });`,
  'a gradient of no parameter, without blocking': `${OPTIMIZER}
    optimizer.stepAsync({ typo: new Float32Array(1) });`,
  'an unknown parameter by name': `
    const optimizer = await createOptimizer('adal', params);
    optimizer.params.typo;`,
  'an option of another optimizer in a group': `
    createOptimizer('sgd', [{ params, betas: [0.9, 0.99] }]);`,
};

/** Errors of every snippet, which one program compiles, each as a module of its own. */
const snippets = { ...VALID, ...INVALID };
const fileOf = (name: string) => `${name.replaceAll(/\W/g, '-')}.mts`;
const program = createProgram(
  Object.fromEntries(
    Object.entries(snippets).map(([name, code]) => [fileOf(name), `${PRELUDE}${code}\nexport {};`]),
  ),
  { ...SETTINGS.nodenext, types: ['node'], skipLibCheck: true },
);
const errors = errorsOf(program);
const errorsIn = (name: string) => errors.filter((line) => line.startsWith(fileOf(name)));

describe('code that is right compiles', () => {
  it.each(Object.keys(VALID))('%s', (name) => expect(errorsIn(name)).toEqual([]));
});

describe('code that is wrong does not compile', () => {
  it.each(Object.keys(INVALID))('%s', (name) => expect(errorsIn(name)).toHaveLength(1));
});
