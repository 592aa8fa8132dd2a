/** The suite's hashes on every runtime that can be had here: one set for all. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { Result } from '../../bench/schema/result';

const CLI = resolve(import.meta.dirname, '../../dist/cli.js');
const INSTALLED = resolve(import.meta.dirname, '../runtimes/node_modules');
const RUNTIMES = [
  { name: 'node-24', at: 'node-24/bin/node' },
  { name: 'deno', at: '@deno/linux-x64-glibc/deno' },
  { name: 'bun', at: '@oven/bun-linux-x64/bin/bun' },
  { name: 'chromium', at: 'playwright-core' },
  { name: 'firefox', at: 'playwright-core' },
].filter(({ at }) => existsSync(join(INSTALLED, at)));
if (RUNTIMES.length === 0)
  console.log(
    'skipped: no runtimes in tests/runtimes/node_modules (npm run test:runtimes installs them)',
  );

it.skipIf(RUNTIMES.length === 0)('every runtime has the same parameters after 200 steps', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adal-bench-'));
  try {
    const out = join(folder, 'result.json');
    const names = ['node', ...RUNTIMES.map(({ name }) => name)];
    const args = [
      '--tier',
      'smoke',
      '--only',
      'hashes',
      '--runtimes',
      names.join(','),
      '--out',
      out,
    ];
    execFileSync(process.execPath, [CLI, 'bench', ...args], { stdio: 'pipe' });
    const { hashes, environments }: Result = JSON.parse(readFileSync(out, 'utf8'));
    expect(environments).toHaveLength(names.length);
    const byJob = new Map<string, Set<string | null>>();
    for (const { workload, optimizer, hash } of hashes) {
      const key = `${workload} ${optimizer}`;
      byJob.set(key, (byJob.get(key) ?? new Set()).add(hash));
    }
    expect(hashes).toHaveLength(names.length * byJob.size);
    for (const [job, found] of byJob) expect([job, found.size]).toEqual([job, 1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
