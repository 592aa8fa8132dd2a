// Small models learn a text of repeated sentences almost by heart, better than pairs of characters.
import { strict as assert } from 'node:assert';
import { generate } from './generate.js';
import { lstmModel, transformerModel } from './models.js';
import { Text } from './text.js';
import { train } from './train.js';

const sentence = 'the cat sat on the mat and the dog sat on the log. ';
const text = new Text(sentence.repeat(80), { steps: 32 });
const characters = text.characters.length;
const [, pairs] = text.ngrams(2);

const size = { steps: 32, units: 32, width: 16, rate: 0.1 };
const recipe = { epochs: 16, lr: 1e-2, batchSize: 8 };
const lstm = await train(text, lstmModel({ characters, ...size }), recipe);
const blocks = { steps: 32, blocks: 4, heads: 2, width: 16, rate: 0 };
const transformer = await train(text, transformerModel({ characters, ...blocks }), recipe);
const [a, b] = [lstm.bits.at(-1), transformer.bits.at(-1)];
assert.ok(a < pairs / 2 && b < pairs / 2, `${a}, ${b}, pairs ${pairs}`);

const writing = { characters: text.characters, ...size, prompt: 'the cat ', count: 40 };
const written = await generate(lstm, { ...writing, temperature: 0.1 });
assert.ok(sentence.repeat(2).includes(written.slice(0, 10)), written);
console.log(`bits: pairs ${pairs.toFixed(2)}, LSTM ${a.toFixed(2)}, transformer ${b.toFixed(2)}`);
