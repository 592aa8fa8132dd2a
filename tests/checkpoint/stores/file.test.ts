/** The file store on this machine's file system. (Killed processes: tests/slow/file-store-kill.test.ts.) */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fileStore } from '../../../src/checkpoint';
import { isAbandoned, lockFile, ownOwner } from '../../../src/checkpoint/stores/file-lock';
import { nodeModules } from '../../../src/checkpoint/stores/node-modules';
import { ArgumentError } from '../../../src/errors';
import { content, contract } from './contract';

const root = mkdtempSync(join(tmpdir(), 'adal-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

function newFolder(): string {
  const folder = join(root, `${folders++}`);
  mkdirSync(folder);
  return folder;
}

contract(() => {
  const path = join(newFolder(), 'model.safetensors');
  return () => fileStore(path);
});

/** An owner on this machine that has ended. */
function deadOwner(): string {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return ownOwner(nodeModules()).replace(/-\d+-/, `-${pid}-`);
}

/** An owner on this machine that lives: the process that started this one. */
const livingOwner = ownOwner(nodeModules()).replace(/-\d+-/, `-${process.ppid}-`);
const foreignOwner = ownOwner(nodeModules()).replace(/^\w+/, 'ffffffff');

function age(file: string, seconds: number): void {
  utimesSync(file, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
}

describe('the file', () => {
  test('holds the bytes and nothing else, alone in its folder', async () => {
    const folder = newFolder();
    await fileStore(join(folder, 'a')).save(content(100));
    expect(readFileSync(join(folder, 'a'))).toEqual(Buffer.from(content(100)));
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('has the SHA-256 of its content for a version, so others may write it', async () => {
    const path = join(newFolder(), 'a');
    writeFileSync(path, 'abc');
    const { version } = (await fileStore(path).load())!;
    expect(version).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    await fileStore(path).save(content(1), { ifVersion: version });
  });

  test('is left as it was when the save fails', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'a'));
    await expect(fileStore(join(folder, 'a')).save(content(1))).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', reason: 'io' });
    await expect(fileStore(join(folder, 'a')).load()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', reason: 'io' });
    await expect(fileStore(join(folder, 'none/a')).save(content(1))).rejects.toMatchObject({ reason: 'io' });
    expect(await fileStore(join(folder, 'none/a')).load()).toBeNull();
    expect(readdirSync(folder)).toEqual(['a']);
    expect(() => fileStore('')).toThrow(ArgumentError);
  });

  test('that has no room is a named error', async () => {
    if (!existsSync('/dev/full')) return;
    const { fs } = nodeModules();
    const path = join(newFolder(), 'a');
    await fileStore(path).save(content(10));
    const open = fs.open;
    fs.open = (async (file: string, flags: string) => {
      if (!file.endsWith('.tmp')) return open(file, flags);
      symlinkSync('/dev/full', file);
      return open(file, 'r+');
    }) as typeof fs.open;
    try {
      const error = await fileStore(path)
        .save(content(20))
        .catch((reason) => reason);
      expect(error).toMatchObject({ name: 'CheckpointQuotaError', code: 'ERR_CHECKPOINT_QUOTA', reason: 'quota', wanted: 20 });
    } finally {
      fs.open = open;
    }
    expect((await fileStore(path).load())!.bytes).toEqual(content(10));
  });
});

describe('what killed processes leave', () => {
  test('is removed by the next save, what others are writing is not', async () => {
    const folder = newFolder();
    const name = (owner: string, lock = '') => `a${lock}.${owner}.0123456789ab.tmp`;
    const dead = deadOwner();
    const restarted = ownOwner(nodeModules()).replace(/\d+$/, (start) => `${Number(start) + 5000}`);
    const gone = [name(dead), name(dead, '.lock'), name(restarted)];
    const old = name(foreignOwner).replace('0123', '9999');
    const kept = [name(livingOwner), name(foreignOwner), name(ownOwner(nodeModules())), 'a.tmp', `b.${dead}.0123456789ab.tmp`];
    for (const file of [...gone, old, ...kept]) writeFileSync(join(folder, file), 'x');
    age(join(folder, old), 3700);
    await fileStore(join(folder, 'a')).save(content(10));
    expect(readdirSync(folder).sort()).toEqual(['a', ...kept].sort());
  });

  test.each<[string, () => string, number, boolean?]>([
    ['a dead process', () => deadOwner(), 0],
    ['a dead process that another broke as it died', () => deadOwner(), 0, true],
    ['a process of another machine, after a minute', () => foreignOwner, 61],
    ['a living process, after a minute', () => livingOwner, 61],
    ['no one that can be told, after a minute', () => '', 61],
  ])('is no obstacle: the lock of %s', async (_, owner, seconds, broken = false) => {
    const folder = newFolder();
    const lock = join(folder, 'a.lock');
    for (const file of broken ? [lock, `${lock}.break`] : [lock]) {
      writeFileSync(file, `${owner()} token`);
      age(file, seconds);
    }
    const saves = Array.from({ length: 10 }, (__, i) => fileStore(join(folder, 'a')).save(content(10, i)));
    await Promise.all(saves);
    expect(readdirSync(folder)).toEqual(['a']);
  });
});

describe('the lock', () => {
  test('of a living process is waited for', async () => {
    const node = nodeModules();
    const path = join(newFolder(), 'a');
    const lock = await lockFile(node, `${path}.lock`, `${path}.lock.tmp`);
    let saved = false;
    const saving = fileStore(path)
      .save(content(10))
      .then(() => (saved = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(saved).toBe(false);
    await lock.assertHeld();
    await lock.release();
    await saving;
    await expect(lock.assertHeld()).rejects.toMatchObject({ reason: 'busy' });
  });

  test('tells owners apart', () => {
    const node = nodeModules();
    const minute = 60_000;
    expect(isAbandoned(node, ownOwner(node), 0, minute)).toBe(false);
    expect(isAbandoned(node, livingOwner, 0, minute)).toBe(false);
    expect(isAbandoned(node, foreignOwner, 0, minute)).toBe(false);
    expect(isAbandoned(node, 'nonsense', 0, minute)).toBe(false);
    expect(isAbandoned(node, deadOwner(), 0, minute)).toBe(true);
    expect(isAbandoned(node, livingOwner, minute + 1, minute)).toBe(true);
  });
});
