// Writes text with a trained LSTM, one step at a time.
import { createModel } from 'adal-wasm/nn';
import { lstmCell } from './models.js';

/**
 * Returns `count` characters that follow `prompt`.
 * @param temperature divides the logits: below 1 likely characters become likelier
 */
export async function generate(
  { runtime, model },
  { characters, units, width, prompt, count, temperature = 0.7 },
) {
  const options = lstmCell({ characters: characters.length, units, width });
  const cell = await createModel(runtime, {
    ...options,
    loss: null,
    batchSize: 1,
    training: false,
  });
  cell.loadStateDict(model.stateDict());
  const read = (code) => {
    cell.inputs.letters[0] = code;
    cell.forward();
    cell.inputs.state.set(cell.outputs.lstm);
  };
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (const character of prompt) read(characters.indexOf(character));
  let text = '';
  for (let i = 0; i < count; i++) {
    const { logits } = cell.outputs;
    const largest = Math.max(...logits);
    const shares = Array.from(logits, (x) => Math.exp((x - largest) / temperature));
    let rest = random() * shares.reduce((sum, share) => sum + share, 0);
    const code = Math.max(
      0,
      shares.findIndex((share) => (rest -= share) < 0),
    );
    text += characters[code];
    read(code);
  }
  cell.dispose();
  return text;
}
