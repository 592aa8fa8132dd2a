/** A small causal transformer of characters, from end to end. */
import { expect, it } from 'vitest';
import {
  add,
  apply,
  createModel,
  dense,
  embedding,
  fit,
  graph,
  input,
  layerNorm,
  type ModelOptions,
  multiHeadAttention,
  positionEmbedding,
  predict,
  relu,
  type Value,
} from '../../src/nn';
import { AdamW } from '../../src/optimizers/adamw';
import { oracle, simd, withRuntime } from '../support/backends';

/** The beginning of Pride and Prejudice (Jane Austen, 1813), in small letters. */
const TEXT = `it is a truth universally acknowledged, that a single man in possession of a good
fortune, must be in want of a wife. however little known the feelings or views of such a man may be
on his first entering a neighbourhood, this truth is so well fixed in the minds of the surrounding
families, that he is considered the rightful property of some one or other of their daughters. my
dear mr. bennet, said his lady to him one day, have you heard that netherfield park is let at last?
mr. bennet replied that he had not. but it is, returned she; for mrs. long has just been here, and
she told me all about it. mr. bennet made no answer. do you not want to know who has taken it? cried
his wife impatiently. you want to tell me, and i have no objection to hearing it. this was
invitation enough. why, my dear, you must know, mrs. long says that netherfield is taken by a young
man of large fortune from the north of england; that he came down on monday in a chaise and four to
see the place, and was so much delighted with it, that he agreed with mr. morris immediately; that
he is to take possession before michaelmas, and some of his servants are to be in the house by the
end of next week.`.replaceAll('\n', ' ');

const LETTERS = [...new Set(TEXT)].sort();
const CODES = Int32Array.from(TEXT, (letter) => LETTERS.indexOf(letter));
const [STEPS, DIM] = [16, 32];

/** Entropy of the letters, in nats: the loss of a model that knows no context. */
const UNIGRAM_ENTROPY = LETTERS.reduce((sum, letter) => {
  const share = TEXT.split(letter).length / TEXT.length;
  return sum - share * Math.log(share);
}, 0);

/** x + f(norm x): attention, then two dense layers. */
function block(x: Value): Value {
  const attended = x.apply(layerNorm()).apply(multiHeadAttention({ heads: 4, causal: true }));
  const y = apply(add(), [x, attended]);
  const inner = y
    .apply(layerNorm())
    .apply(dense(4 * DIM))
    .apply(relu())
    .apply(dense(DIM));
  return apply(add(), [y, inner]);
}

/** A transformer of two blocks, whose output is the logits of the next letter at every step. */
function transformer(): ModelOptions {
  const letters = input('letters', STEPS);
  const x = letters.apply(embedding(LETTERS.length, DIM)).apply(positionEmbedding());
  const y = block(block(x)).apply(layerNorm());
  return { ...graph([y.apply(dense(LETTERS.length), 'next')]), batchSize: 32, seed: 1 };
}

/** All windows of the text, labelled at every step with the letter that follows. */
function windows() {
  const count = CODES.length - STEPS;
  const rowsFrom = (first: number) =>
    Array.from({ length: count }, (_, i) => [...CODES.subarray(i + first, i + first + STEPS)]);
  return {
    features: Float32Array.from(rowsFrom(0).flat()),
    labels: Int32Array.from(rowsFrom(1).flat()),
  };
}

it('learns the text: a loss far below the entropy of its letters', async () => {
  await withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, transformer());
    const optimizer = new AdamW(runtime, model.parameters, { lr: 3e-3 });
    const { epochs } = await fit(model, windows(), { optimizer, epochs: 4, seed: 1 });
    expect(UNIGRAM_ENTROPY).toBeGreaterThan(2.5);
    expect(epochs.at(-1)!.loss).toBeLessThan(0.6 * UNIGRAM_ENTROPY);
  });
});

it('has the same outputs on the reference, up to the last bit', async () => {
  const run = (backend: typeof simd) =>
    withRuntime(backend, async (runtime) => {
      const model = await createModel(runtime, transformer());
      const optimizer = new AdamW(runtime, model.parameters, { lr: 3e-3 });
      const { features, labels } = windows();
      const data = {
        features: features.subarray(0, 8 * STEPS),
        labels: labels.subarray(0, 8 * STEPS),
      };
      await fit(model, data, { optimizer, epochs: 2 });
      return predict(model, data.features);
    });
  expect(await run(oracle)).toEqual(await run(simd));
});

it('is causal: the output of a step does not depend on the steps after it', async () => {
  await withRuntime(simd, async (runtime) => {
    const options = { ...transformer(), loss: null, training: false };
    const model = await createModel(runtime, options);
    const { features } = windows();
    const first = features.slice(0, STEPS);
    const size = LETTERS.length;
    const before = predict(model, first).slice();
    first.fill(0, 9);
    expect(predict(model, first).slice(0, 9 * size)).toEqual(before.slice(0, 9 * size));
  });
});
