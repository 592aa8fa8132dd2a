/** The file store, killed 200 times while it saves: what was reported done is there, whole. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeSafetensors, fileStore } from '../../src/checkpoint';
import { Xorshift } from '../support/xorshift';

const KILLS = 200;
const WRITER = join(import.meta.dirname, 'file-store-writer.js');

/** Runs the writer and kills it some milliseconds after its first save. */
async function saveUntilKilled(path: string, first: number, delayMs: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, path, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (text) => {
    printed += text;
    timer ??= setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  const signal = await new Promise((resolve) => child.on('close', (_, name) => resolve(name)));
  clearTimeout(timer);
  expect(signal).toBe('SIGKILL');
  return Number(printed.trimEnd().split('\n').at(-1));
}

/** The count that is stored; every element has it. */
async function storedCount(path: string): Promise<number> {
  const { tensors, metadata } = decodeSafetensors((await fileStore(path).load())!.bytes);
  const count = Number(metadata.count);
  expect(tensors.w!.shape).toEqual([65536]);
  expect((tensors.w!.data as Float32Array).every((value) => value === count)).toBe(true);
  return count;
}

it(`keeps the last good checkpoint through ${KILLS} kills`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'adal-kill-'));
  const path = join(folder, 'model.safetensors');
  const random = new Xorshift(42);
  let count = 0;
  let interrupted = 0;
  let unreported = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const reported = await saveUntilKilled(path, count + 1, random.below(400) / 10);
    expect(reported).toBeGreaterThan(count);
    count = await storedCount(path);
    expect([reported, reported + 1]).toContain(count);
    if (count > reported) unreported++;
    if (readdirSync(folder).length > 1) interrupted++;
  }
  console.log(
    `${KILLS} kills in ${count} saves: ${interrupted} left files behind, ` +
      `${unreported} after the renaming`,
  );
  expect(interrupted).toBeGreaterThan(KILLS / 4);
  await fileStore(path).save(new Uint8Array(1));
  expect(readdirSync(folder)).toEqual(['model.safetensors']);
  rmSync(folder, { recursive: true });
});
