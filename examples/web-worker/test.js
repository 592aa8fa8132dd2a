import { strict as assert } from 'node:assert';
import { resultOf, withServer } from './browser.js';

const line = await withServer('dist', resultOf);
const [, accuracy, frames] = /^accuracy ([\d.]+), (\d+) frames/.exec(line);
assert.ok(accuracy > 0.9 && frames > 10, line);
console.log(line);
