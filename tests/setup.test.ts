/** scripts/setup.js: what it must not do. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const SCRIPT = resolve(import.meta.dirname, '../scripts/setup.js');

it('does not install through a symbolic link into another checkout', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adal-setup-'));
  try {
    const [theirs, ours] = [join(folder, 'theirs'), join(folder, 'ours')];
    mkdirSync(join(theirs, 'precious'), { recursive: true });
    mkdirSync(ours);
    for (const file of ['package.json', 'package-lock.json']) writeFileSync(join(ours, file), '{}');
    symlinkSync(theirs, join(ours, 'node_modules'));
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT], {
      cwd: ours,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^node_modules is a symbolic link/);
    expect(status).toBe(1);
    expect(readdirSync(theirs)).toEqual(['precious']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
