/**
 * Runs two instances of the function one after the other, as Lambda would, and concurrent events.
 */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EVENTS = 20;
const LEARN_SECRET = 'no secret at all: this is a test';
const instance = `
  import { handler } from './handler.js';
  import { tokenOf } from './state.js';
  const token = await tokenOf(process.env.LEARN_SECRET, 'clicks');
  const headers = { authorization: 'Bearer ' + token };
  const click = { features: [1, 0, 0, 1], label: 1 };
  const none = { features: [0, 1, 1, 0], label: 0 };
  const body = JSON.stringify([click, none]);
  const events = Array.from({ length: ${EVENTS} }, () => ({ headers, body }));
  const answers = await Promise.all(events.map(handler));
  const read = ({ statusCode, body }) => ({ statusCode, ...JSON.parse(body) });
  console.log(JSON.stringify(answers.map(read)));
`;
const MODEL_FILE = join(mkdtempSync(join(tmpdir(), 'lambda-')), 'm');
const env = { ...process.env, AWS_LAMBDA_FUNCTION_NAME: 'clicks', MODEL_FILE, LEARN_SECRET };
const start = () =>
  JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', instance], {
      env,
      encoding: 'utf8',
    }),
  );

const answers = [...start(), ...start()];
const updates = answers.map((answer) => answer.updates).sort((a, b) => a - b);
assert.deepEqual(
  updates,
  Array.from({ length: 2 * EVENTS }, (_, i) => i + 1),
);
const [click, none] = answers.find((answer) => answer.updates === 2 * EVENTS).probabilities;
assert.ok(click > 0.7 && none < 0.4, `${click} ${none}`);

// The handler answers mistakes with a sentence and leaves the model unchanged.
Object.assign(process.env, env);
const { handler } = await import('./handler.js');
const { tokenOf } = await import('./state.js');
const headers = { authorization: `Bearer ${await tokenOf(LEARN_SECRET, 'clicks')}` };
const features = [1, 0, 0, 1];
const sample = (changed) => JSON.stringify([{ features, label: 1, ...changed }]);
const refused = [
  ...[5, -1, 0.5, '1', null, undefined].map((label) => [400, { headers, body: sample({ label }) }]),
  ...[[1, 2, 3], [1, 2, 3, 4, 5], ['1', 0, 0, 1], [1e9, 0, 0, 1], null].map((wrong) => [
    400,
    { headers, body: sample({ features: wrong }) },
  ]),
  ...[undefined, null, '', '{', '[]', 'null', '[null]'].map((body) => [400, { headers, body }]),
  [413, { headers, body: ' '.repeat(300_000) }],
  [413, { headers, body: 'IC'.repeat(300_000), isBase64Encoded: true }],
  [401, { body: sample() }],
  [
    401,
    {
      headers: { authorization: `Bearer ${await tokenOf(LEARN_SECRET, 'another')}` },
      body: sample(),
    },
  ],
];
const model = readFileSync(MODEL_FILE);
for (const [status, event] of refused) {
  const { statusCode, body } = await handler(event);
  assert.equal(statusCode, status, body);
  assert.ok(JSON.parse(body).error.length > 15, body);
}
assert.ok(readFileSync(MODEL_FILE).equals(model));
const encoded = { headers, body: Buffer.from(sample()).toString('base64'), isBase64Encoded: true };
assert.equal((await handler(encoded)).statusCode, 200);
delete process.env.LEARN_SECRET;
await assert.rejects(handler({ headers, body: sample() }), /LEARN_SECRET must have/);

console.log(
  `${refused.length} wrong requests refused; ` +
    `${answers.length} events to two instances, ${updates.at(-1)} updates`,
);
