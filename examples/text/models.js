// Two language models: each gives logits of the next character at every step.
import {
  add,
  apply,
  dense,
  dropout,
  embedding,
  gelu,
  graph,
  input,
  layerNorm,
  lstm,
  multiHeadAttention,
  positionEmbedding,
  slice,
} from 'adal-wasm/nn';

/** A long short-term memory. */
export function lstmModel({ characters, steps, units, width, rate }) {
  const logits = input('letters', steps)
    .apply(embedding(characters, width), 'embedding')
    .apply(dropout(rate / 2))
    .apply(lstm(units, { returnSequences: true }), 'lstm')
    .apply(dropout(rate))
    .apply(dense(characters), 'logits');
  return graph([logits]);
}

/** The same for one step at a time: it takes the state (h, then c) and gives the next one. */
export function lstmCell({ characters, units, width }) {
  const letter = input('letters', 1).apply(embedding(characters, width), 'embedding');
  const cell = lstm(units, { initialState: true, returnState: true });
  const state = apply(cell, [letter, input('state', 2 * units)], 'lstm');
  const logits = state.apply(slice(0, units)).apply(dense(characters), 'logits');
  return graph([state, logits]);
}

/** A causal transformer with its norms before attention and dense layers. */
export function transformerModel({ characters, steps, blocks, heads, width, rate }) {
  let x = input('letters', steps)
    .apply(embedding(characters, width))
    .apply(positionEmbedding())
    .apply(dropout(rate));
  for (let block = 0; block < blocks; block++) {
    const attention = x
      .apply(layerNorm())
      .apply(multiHeadAttention({ heads, causal: true }))
      .apply(dropout(rate));
    x = apply(add(), [x, attention]);
    const inner = x
      .apply(layerNorm())
      .apply(dense(4 * width))
      .apply(gelu())
      .apply(dense(width))
      .apply(dropout(rate));
    x = apply(add(), [x, inner]);
  }
  return graph([x.apply(layerNorm()).apply(dense(characters), 'logits')]);
}
