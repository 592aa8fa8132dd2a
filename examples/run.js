/**
 * Runs the examples as a reader would who copied them: `npm install`, `npm test`. The last line of
 * what each prints is shown.
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
