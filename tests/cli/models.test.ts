/** The models of `adal train`: built in, and written as JSON. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors } from '../../src/checkpoint';
import { adal, expectRefusal, readRun, temporaryFolder } from './cli';

const PRACTICAL = ['--preset', 'practical'];

/** The shapes of the weights written. */
function shapesIn(folder: string): Record<string, readonly number[]> {
  const { tensors } = decodeSafetensors(readFileSync(join(folder, 'weights.safetensors')));
  return Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
}

describe('built in', () => {
  const cwd = temporaryFolder();

  test('mlp has a hidden layer, cnn takes the shape of images from the data', async () => {
    const run = async (model: string) => {
      const { code } = await adal(
        ['train', '--model', model, '--epochs', '4', ...PRACTICAL, '--out', model],
        cwd,
      );
      expect(code).toBe(0);
      return readRun(join(cwd, model));
    };
    expect((await run('mlp')).model.title).toBe('64-64-10');
    const { model, result, options, info } = await run('cnn');
    // Convolutions are work for threads, however few the parameters.
    expect(info.threadsReason).not.toContain('parameters');
    expect(model).toMatchObject({
      inputShape: [8, 8, 1],
      loss: { kind: 'crossEntropy' },
      parameterCount: 160 + 4640 + 128 * 64 + 64 + 650,
    });
    expect(options).toMatchObject({ model: 'cnn', batchSize: 32 });
    expect(result.testAccuracy).toBeGreaterThan(0.9);
    expect(shapesIn(join(cwd, 'cnn'))).toMatchObject({
      'conv1.weight': [16, 3, 3, 1],
      'conv2.weight': [32, 3, 3, 16],
    });
  });

  test('charlm learns text, and is compared with n-grams', async () => {
    writeFileSync(join(cwd, 'rhyme.txt'), 'Der Hahn kräht, die Henne gackert.\n'.repeat(60));
    const { code, stdout } = await adal(
      ['train', '--data', 'text:rhyme.txt', ...PRACTICAL, '--epochs', '6', '--out', 'text'],
      cwd,
    );
    expect(code).toBe(0);
    const { options, model, data, result } = readRun(join(cwd, 'text'));
    expect(options).toMatchObject({
      data: 'text:rhyme.txt',
      model: 'charlm',
      batchSize: 64,
      testFraction: expect.closeTo(0.1, 1),
    });
    expect(model.layers[0]).toEqual({ kind: 'embedding', rows: 18, dim: 16 });
    expect(data.ngramLosses).toHaveLength(5);
    const [unigram, bigram] = data.ngramLosses;
    expect(bigram).toBeLessThan(unigram);
    expect(result.testLoss).toBeLessThan(bigram);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /n-grams test loss in nats per character: 1-gram \d\.\d{4}, 2-gram/,
    );
    expect(stdout).toMatch(/most frequent mistakes|no mistakes/);
  });
});

describe('a JSON model', () => {
  const cwd = temporaryFolder();
  const put = (name: string, model: unknown) =>
    writeFileSync(join(cwd, name), typeof model === 'string' ? model : JSON.stringify(model));
  const rows = Array.from(
    { length: 200 },
    (_, i) => `${i % 20},${i % 7},${0.5 * (i % 20) - (i % 7)}`,
  );
  put('line.csv', `a,b,y\n${rows.join('\n')}\n`);
  const dense = (units: number) => ({ kind: 'dense', units });

  test('trains with running statistics, and resumes without its file', async () => {
    const model = {
      inputShape: [8, 8, 1],
      layers: [
        { kind: 'conv2d', filters: 4, kernelSize: 3 },
        { kind: 'batchNorm' },
        { kind: 'relu' },
        { kind: 'flatten' },
        { kind: 'dropout', rate: 0.1 },
        dense(10),
      ],
    };
    put('my.json', model);
    // More epochs than any machine gets through before the signal; the rate is constant.
    const args = ['train', '--model', 'my.json', '--epochs'];
    const ended = await adal([...args, '100000', '--out', 'ended'], cwd, {
      signal: 'SIGINT',
      when: (stderr) => /^epoch/m.test(stderr),
    });
    expect(ended.code).toBe(130);
    const epochs = String(readRun(join(cwd, 'ended')).epochs.length + 2);
    expect((await adal([...args, epochs, '--out', 'whole'], cwd)).code).toBe(0);
    rmSync(join(cwd, 'my.json'));
    const resume = ['train', '--resume', 'ended', '--epochs', epochs];
    expect((await adal(resume, cwd)).code).toBe(0);
    const [whole, resumed] = [readRun(join(cwd, 'whole')), readRun(join(cwd, 'ended'))];
    expect(whole.model).toMatchObject(model);
    expect(whole.options.model).toBe('my.json');
    expect(resumed.parameterHash).toBe(whole.parameterHash);
    expect(Object.keys(shapesIn(join(cwd, 'ended')))).toContain('batchNorm1.variance');
  });

  test('may be a graph with one input and one output', async () => {
    const node = (name: string, layer: object | string, ...inputs: string[]) => ({
      name,
      layer,
      inputs,
    });
    const model = {
      inputs: { pixels: 64 },
      nodes: [
        node('hidden', dense(24), 'pixels'),
        node('deep', dense(24), 'hidden'),
        node('sum', { kind: 'add' }, 'hidden', 'deep'),
        node('active', { kind: 'relu' }, 'sum'),
        node('logits', dense(10), 'active'),
      ],
      outputs: ['logits'],
    };
    put('graph.json', model);
    const args = ['train', '--model', 'graph.json', ...PRACTICAL, '--epochs', '3'];
    const { code, stdout } = await adal([...args, '--out', 'graph'], cwd);
    expect(code).toBe(0);
    expect(stdout).toContain('64, dense 24, dense 24, add, relu, dense 10');
    expect(readRun(join(cwd, 'graph')).model).toMatchObject(model);
    expect(Object.keys(shapesIn(join(cwd, 'graph')))).toContain('logits.weight');
    put('two.json', { ...model, outputs: ['logits', 'active'] });
    const two = await adal(['train', '--model', 'two.json', ...PRACTICAL], cwd);
    expect([two.code, two.stderr]).toEqual([1, expect.stringContaining('two.json: ')]);
  });

  test('with a loss on values learns the numbers of the target column', async () => {
    put('line.json', { inputShape: [2], layers: [dense(1)], loss: { kind: 'meanSquaredError' } });
    const args = [
      'train',
      '--data',
      'csv:line.csv',
      '--target',
      'y',
      '--model',
      'line.json',
      '--lr',
      '0.1',
      '--optimizer',
      'adam',
    ];
    const { code, stdout, stderr } = await adal([...args, '--epochs', '30', '--out', 'line'], cwd);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^epoch 30\/30 {2}loss \S+ {2}test \d\.\d+/m),
    ]);
    const { result, epochs } = readRun(join(cwd, 'line'));
    expect(result).toMatchObject({ testAccuracy: null, confusion: null, bestTestAccuracy: null });
    expect(result.testLoss).toBeLessThan(0.1);
    expect(result.testLoss).toBeLessThan(epochs[0].testLoss);
    expect(stdout).not.toContain('accuracy');
  });

  test.each([
    ['{"inputShape": [64]', 'bad.json: expected JSON: '],
    ['[]', 'bad.json: "model" expected an options object, got []'],
    [
      { layers: [dense(10)] },
      'bad.json: "inputShape" expected [features], [steps, features] or [height, width, ' +
        'channels], got null',
    ],
    [{ inputShape: [64, 0], layers: [dense(10)] }, 'bad.json: "inputShape[1]" expected an integer'],
    [
      `{"inputShape":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      'bad.json: expected JSON nested at most 32 deep',
    ],
    [
      `{"inputShape":[64],"layers":[{"kind":"${'['.repeat(40)}"}]}`,
      'bad.json: "layers[0]" expected a layer (add, average, ',
    ],
    [
      { inputShape: [64], layers: Array.from({ length: 5000 }, () => ({ kind: 'relu' })) },
      'bad.json: "layers" expected at most 4096 layers, got 5000',
    ],
    [' '.repeat(2 ** 20 + 1), 'bad.json: expected a JSON model (at most 1 MiB), got 1 MiB'],
    [{ inputShape: [64] }, 'bad.json: "layers" expected at least one layer, got undefined'],
    [
      { inputShape: [64], layers: [dense(10), { kind: 'perceptron' }] },
      'bad.json: "layers[1]" expected a layer (add, average, ',
    ],
    [
      { inputShape: [64], layers: [{ kind: 'dense', units: 'many' }] },
      'bad.json: "layers[0].units" expected an integer in [1, 16777216], got "many"',
    ],
    [
      { inputShape: [64], layers: [{ kind: 'dense', units: 10, bias: true }] },
      'bad.json: "layers[0].bias" expected one of kind, name, units',
    ],
    [
      { inputShape: [64], layers: [{ kind: 'maxPool2d', size: 2 }] },
      'bad.json: "layers[0] (maxPool2d)" expected an image [height, width, channels], got [64]',
    ],
    [
      { inputShape: [64], layers: [dense(10)], loss: { kind: 'hinge' } },
      'bad.json: "loss" expected a loss (crossEntropy, ',
    ],
    [
      { inputShape: [64], layers: [dense(10)], optimizer: 'adam' },
      'bad.json: "model.optimizer" expected one of inputShape, layers, inputs, nodes, outputs',
    ],
    [
      { inputShape: [63], layers: [dense(10)] },
      'bad.json: expected an input of 64 numbers in total, as in digits, got 63',
    ],
    [
      { inputShape: [64], layers: [dense(9)] },
      'bad.json: expected 10 outputs, one per class of digits, got 9',
    ],
    [
      { inputShape: [64], layers: [dense(1)], loss: { kind: 'huber' } },
      'bad.json: expected the loss crossEntropy with digits, got huber',
    ],
  ])('that is wrong is refused by file and place: %j', async (model, message) => {
    put('bad.json', model);
    await expectRefusal(['train', '--model', 'bad.json', '--epochs', '1'], cwd, 1, message);
  });

  test.each([
    ['--model missing.json', 1, 'missing.json: no such file or folder'],
    [
      '--model {"inputShape":[64],"layers":[]}',
      1,
      '--model: "layers" expected at least one layer, got []',
    ],
    ['--model charlm', 2, '--data expected text:<file> with --model charlm, got digits'],
    [
      '--data text:line.csv --model mlp',
      2,
      '--model expected charlm or <file>.json with --data text:<file>, got a model of numbers',
    ],
    [
      '--data csv:line.csv --target a --model cnn',
      2,
      '--model expected mlp or softmax for line, which does not consist of images, got cnn',
    ],
    [
      '--data csv:words.csv --target b --model value.json',
      1,
      'words.csv, line 2, column 2 ("b"): expected a number, got "x"',
    ],
    ['--data text:short.txt', 1, 'short.txt: expected more than 8 characters, got'],
    [
      '--data text:bytes.txt',
      1,
      'bytes.txt: expected a text of at most 16,777,216 characters in UTF-8, got other bytes',
    ],
  ])('%s is refused', async (args, exitCode, message) => {
    put('words.csv', 'a,b\n1,x\n2,y\n3,z\n');
    put('value.json', { inputShape: [1], layers: [dense(1)], loss: { kind: 'meanSquaredError' } });
    put('short.txt', 'too short');
    writeFileSync(join(cwd, 'bytes.txt'), Uint8Array.of(0xff, 0xfe, 0xfd));
    await expectRefusal(['train', '--epochs', '1', ...args.split(' ')], cwd, exitCode, message);
  });
});
