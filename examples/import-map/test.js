import { strict as assert } from 'node:assert';
import { resultOf, withServer } from './browser.js';

const line = await withServer('.', resultOf);
assert.match(line, /^\|w\| = 0\.0\d+ after 300 steps/);
console.log(line);
