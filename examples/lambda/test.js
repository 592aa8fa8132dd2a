/** Two instances of the function after each other, as Lambda would start them, and events that come at once. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EVENTS = 20;
const instance = `
  import { handler } from './handler.js';
  const body = JSON.stringify([{ features: [1, 0, 0, 1], label: 1 }, { features: [0, 1, 1, 0], label: 0 }]);
  const answers = await Promise.all(Array.from({ length: ${EVENTS} }, () => handler({ body })));
  console.log(JSON.stringify(answers.map(({ statusCode, body }) => ({ statusCode, ...JSON.parse(body) }))));
`;
const env = { ...process.env, AWS_LAMBDA_FUNCTION_NAME: 'clicks', MODEL_FILE: join(mkdtempSync(join(tmpdir(), 'lambda-')), 'm') };
const start = () =>
  JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', instance], { env, encoding: 'utf8' }));

const answers = [...start(), ...start()];
const updates = answers.map((answer) => answer.updates).sort((a, b) => a - b);
assert.deepEqual(
  updates,
  Array.from({ length: 2 * EVENTS }, (_, i) => i + 1),
);
const [click, none] = answers.find((answer) => answer.updates === 2 * EVENTS).probabilities;
assert.ok(click > 0.7 && none < 0.4, `${click} ${none}`);
console.log(`${answers.length} events to two instances, ${updates.at(-1)} updates`);
