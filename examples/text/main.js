// A character LSTM and a transformer of four blocks beside n-gram models, on the same test text:
//   node main.js [lstm|transformer] [--epochs n] [--text file.txt]
import { parseArgs } from 'node:util';
import { generate } from './generate.js';
import { lstmModel, transformerModel } from './models.js';
import { readText, Text } from './text.js';
import { train } from './train.js';

const SIZES = {
  lstm: { steps: 64, units: 256, width: 32, rate: 0.5 },
  transformer: { steps: 64, blocks: 4, heads: 4, width: 64, rate: 0.1 },
};
const RECIPES = {
  lstm: { epochs: 40, lr: 3e-3 },
  transformer: { epochs: 60, lr: 4e-3, batchSize: 16 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { epochs: { type: 'string' }, text: { type: 'string' } },
});
const names = positionals.length > 0 ? positionals : Object.keys(SIZES);
const source = readText(values.text);
const results = {};

for (const name of names) {
  const size = SIZES[name];
  const recipe = { ...RECIPES[name], ...(values.epochs && { epochs: Number(values.epochs) }) };
  const text = new Text(source, size);
  const characters = text.characters.length;
  for (const [order, bits] of text.ngrams(7).entries()) results[`${order + 1}-gram`] = bits;
  const build = name === 'lstm' ? lstmModel : transformerModel;
  const start = process.cpuUsage().user;
  const trained = await train(text, build({ characters, ...size }), {
    ...recipe,
    onEpoch: ({ epoch, train, test }) =>
      console.log(
        `${name} ${epoch}/${recipe.epochs}: ${train.toFixed(3)}, test ${test.toFixed(3)}`,
      ),
  });
  const seconds = (process.cpuUsage().user - start) / 1e6;
  console.log(`${trained.model.parameterCount} parameters, ${seconds.toFixed(0)} s of CPU time`);
  results[name] = trained.bits.at(-1);
  if (name === 'lstm') {
    const prompt = 'Mr. Darcy ';
    const writing = { characters: text.characters, ...size, prompt, count: 300 };
    console.log(`${prompt}${await generate(trained, writing)}`);
  }
}
console.table(
  Object.fromEntries(
    Object.entries(results).map(([name, bits]) => [name, { bits: Number(bits.toFixed(3)) }]),
  ),
);
