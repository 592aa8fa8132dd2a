/**
 * Three writers in PID namespaces of their own, as in containers, over one file: no update is lost.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileStore } from '../../src/checkpoint';

const COUNTER = join(import.meta.dirname, 'file-store-counter.js');
const INSIDE = ['-p', '-f', '--kill-child', '--mount-proc', process.execPath];
/** Linux, as root. */
const possible = spawnSync('unshare', [...INSIDE, '--version']).status === 0;

it.skipIf(!possible)('writers that cannot see each other lose no update', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'adal-namespaces-'));
  const path = join(folder, 'count');
  const writers = [0, 1, 2].map(async (index) => {
    // Containers do not start at once.
    await new Promise((resolve) => setTimeout(resolve, 1500 * index));
    const args = [...INSIDE, COUNTER, path, String(9000 - 1500 * index)];
    const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (text) => (printed += text));
    await new Promise((resolve) => child.on('close', resolve));
    return printed.trimEnd().split('\n');
  });
  const lines = (await Promise.all(writers)).flat();
  expect(lines.filter((line) => !/^\d+$/.test(line))).toEqual([]);
  const counts = lines.map(Number).sort((a, b) => a - b);
  expect(counts).toEqual(counts.map((_, index) => index + 1));
  const { bytes } = (await fileStore(path).load())!;
  expect(new DataView(bytes.buffer).getUint32(0, true)).toBe(counts.length);
  expect(readdirSync(folder)).toEqual(['count']);
  console.log(`${counts.length} updates by three writers`);
  rmSync(folder, { recursive: true });
});
