/**
 * Runs copies of the examples as a reader would: `npm install`, `npm test`. Prints the last line of
 * each one's output.
 *
 *   node examples/run.js [names…]
 */
import { resolve } from 'node:path';
import { runProjects } from '../scripts/run-projects.js';

const home = import.meta.dirname;
const shared = [
  resolve(home, 'shared/state.js'),
  resolve(home, '../tests/consumers/shared/browser.js'),
];
const judge = (_, output) => ({ passed: true, detail: output.trim().split('\n').at(-1) });
runProjects({ home, shared, judge, suite: 'examples' });
