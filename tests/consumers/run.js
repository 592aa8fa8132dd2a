/**
 * Tests the package as others install it: every folder here is a small project that trains and
 * prints fingerprints. A project passes if its fingerprints equal those of this process and are as
 * many as `fingerprints` in its package.json says (1 by default).
 *
 *   node tests/consumers/run.js [names…]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProjects } from '../../scripts/run-projects.js';
import { train } from './shared/train.js';

const HERE = import.meta.dirname;
const FINGERPRINT = /fingerprint [0-9a-f]{8}/g;
const [wanted] = (await train()).match(FINGERPRINT);

function judge(name, output) {
  const { fingerprints = 1 } = JSON.parse(readFileSync(join(HERE, name, 'package.json'), 'utf8'));
  const found = output.match(FINGERPRINT) ?? [];
  const passed = found.length === fingerprints && found.every((line) => line === wanted);
  const detail =
    fingerprints === 0 ? output.trim().split('\n').at(-1) : `${wanted} × ${fingerprints}`;
  return {
    passed,
    detail: passed
      ? detail
      : `expected ${wanted} × ${fingerprints}, got ${found.join(', ') || 'none'}`,
  };
}

const shared = readdirSync(join(HERE, 'shared')).map((file) => join(HERE, 'shared', file));
runProjects({ home: HERE, shared, judge, suite: 'consumers' });
