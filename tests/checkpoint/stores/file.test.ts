/**
 * The file store on this machine's file system. (Killed processes:
 * tests/slow/file-store-kill.test.ts.)
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { fileStore } from '../../../src/checkpoint';
import { isAbandoned, lockFile } from '../../../src/checkpoint/stores/file-lock';
import { ownOwner, stateOf } from '../../../src/checkpoint/stores/lock-owner';
import { nodeModules } from '../../../src/checkpoint/stores/node-modules';
import { ArgumentError } from '../../../src/errors';
import { content, contract, expectSameBytes } from './contract';

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

const own = ownOwner(nodeModules());
const [place, ownId, ownThread, ownStart] = own.split('-') as [string, string, string, string];

/** An owner on this machine that has ended. */
function deadOwner(): string {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return `${place}-${pid}-${pid}-${ownStart}`;
}

/**
 * The main thread of the process that started this one; where there is no /proc its thread does not
 * matter.
 */
function livingOwner(): string {
  const stat = `/proc/${process.ppid}/stat`;
  const start = existsSync(stat)
    ? readFileSync(stat, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19]
    : 0;
  return `${place}-${process.ppid}-${process.ppid}-${start}`;
}

const foreignOwner = own.replace(/^\w+/, 'f'.repeat(16));

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
    await expect(fileStore(join(folder, 'a')).save(content(1))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      reason: 'io',
    });
    await expect(fileStore(join(folder, 'a')).load()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      reason: 'io',
    });
    await expect(fileStore(join(folder, 'none/a')).save(content(1))).rejects.toMatchObject({
      reason: 'io',
    });
    expect(await fileStore(join(folder, 'none/a')).load()).toBeNull();
    expect(readdirSync(folder)).toEqual(['a']);
    expect(() => fileStore('')).toThrow(ArgumentError);
  });

  test.skipIf(!existsSync('/dev/full'))('that has no room is a named error', async () => {
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
      expect(error).toMatchObject({
        name: 'CheckpointQuotaError',
        code: 'ERR_CHECKPOINT_QUOTA',
        reason: 'quota',
        requiredBytes: 20,
      });
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
    const restarted = `${place}-${ownId}-${ownThread}-${Number(ownStart) + 5000}`;
    const gone = [name(dead), name(dead, '.lock'), name(restarted)];
    const old = name(foreignOwner).replace('0123', '9999');
    const kept = [
      name(livingOwner()),
      name(foreignOwner),
      name(own),
      'a.tmp',
      `b.${dead}.0123456789ab.tmp`,
    ];
    for (const file of [...gone, old, ...kept]) writeFileSync(join(folder, file), 'x');
    age(join(folder, old), 3700);
    await fileStore(join(folder, 'a')).save(content(10));
    expect(readdirSync(folder).sort()).toEqual(['a', ...kept].sort());
  });

  test.each<[string, () => string, number, boolean?]>([
    ['a dead process', () => deadOwner(), 0],
    ['a dead process that another broke as it died', () => deadOwner(), 0, true],
    ['a process of another machine, after a minute', () => foreignOwner, 61],
    ['a living process, after a minute', () => livingOwner(), 61],
    ['no one that can be told, after a minute', () => '', 61],
  ])('is no obstacle: the lock of %s', async (_, owner, seconds, broken = false) => {
    const folder = newFolder();
    const lock = join(folder, 'a.lock');
    for (const file of broken ? [lock, `${lock}.break`] : [lock]) {
      writeFileSync(file, `${owner()} token`);
      age(file, seconds);
    }
    const saves = Array.from({ length: 10 }, (__, i) =>
      fileStore(join(folder, 'a')).save(content(10, i)),
    );
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
    expect(await lock.isHeld()).toBe(true);
    await lock.release();
    await saving;
    expect(await lock.isHeld()).toBe(false);
  });

  test('says every second that its owner is there', async () => {
    const file = join(newFolder(), 'a.lock');
    const lock = await lockFile(nodeModules(), file, `${file}.tmp`);
    age(file, 50);
    await vi.waitFor(() => expect(Date.now() - statSync(file).mtimeMs).toBeLessThan(10_000), {
      timeout: 10_000,
    });
    await lock.release();
    expect(existsSync(file)).toBe(false);
  });

  test('lost to another makes the save begin anew', async () => {
    const path = join(newFolder(), 'a');
    const { fs } = nodeModules();
    const read = fs.readFile;
    let stolen = 0;
    // Each time that the save looks whether it still has the lock, another has taken it, until it
    // is the third.
    fs.readFile = (async (file: string, encoding: 'utf8') => {
      if (file === `${path}.lock` && existsSync(file) && stolen < 2) {
        stolen++;
        writeFileSync(file, `${deadOwner()} token`);
      }
      return read(file, encoding);
    }) as typeof fs.readFile;
    try {
      await fileStore(path).save(content(10), { ifVersion: null });
    } finally {
      fs.readFile = read;
    }
    expect(stolen).toBe(2);
    expect((await fileStore(path).load())!.bytes).toEqual(content(10));
  });

  const hasThreads = existsSync('/proc/thread-self');
  test.skipIf(!hasThreads)(
    'of a terminated thread counts as gone, of a running one not',
    async () => {
      const path = join(newFolder(), 'a');
      const worker = new Worker(
        `const { parentPort } = require('node:worker_threads');
       const self = () => require('node:fs').readlinkSync('/proc/thread-self');
        parentPort.once('message', () => parentPort.postMessage(self()));
       setInterval(() => {}, 1000);`,
        { eval: true },
      );
      worker.postMessage('');
      const thread = await new Promise<string>((resolve) => worker.once('message', resolve));
      const [, id] = thread.split('/task/') as [string, string];
      const start = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19];
      const owner = `${place}-${ownId}-${id}-${start}`;
      expect(stateOf(nodeModules(), owner)).toBe('alive');
      writeFileSync(`${path}.lock`, `${owner} token`);
      writeFileSync(`${path}.${owner}.0123456789ab.tmp`, 'x');
      await worker.terminate();
      expect(stateOf(nodeModules(), owner)).toBe('gone');
      await fileStore(path).save(content(10));
      expect(readdirSync(dirname(path))).toEqual(['a']);
    },
  );

  test('tells owners apart', () => {
    const node = nodeModules();
    const minute = 60_000;
    expect(isAbandoned(node, own, 0, minute)).toBe(false);
    expect(isAbandoned(node, livingOwner(), 0, minute)).toBe(false);
    expect(isAbandoned(node, foreignOwner, 0, minute)).toBe(false);
    expect(isAbandoned(node, 'nonsense', 0, minute)).toBe(false);
    expect(isAbandoned(node, deadOwner(), 0, minute)).toBe(true);
    expect(isAbandoned(node, livingOwner(), minute + 1, minute)).toBe(true);
    for (const owner of [
      '',
      '----',
      `${place}-1`,
      `${place}-x-1-1`,
      `${place}-1-1-1-1`,
      `${place}--1-1-1`,
    ]) {
      expect(stateOf(node, owner)).toBe('unknown');
    }
  });
});

describe('what is replaced', () => {
  test.skipIf(process.platform === 'win32')('keeps its permissions', async () => {
    const path = join(newFolder(), 'a');
    for (const mode of [0o600, 0o640, 0o604, 0o444, 0o755]) {
      await fileStore(path).save(content(10));
      chmodSync(path, mode);
      await fileStore(path).save(content(20));
      expect(statSync(path).mode & 0o7777).toBe(mode);
    }
  });

  test.skipIf(process.platform === 'win32')(
    'has the permissions of other new files at first',
    async () => {
      const folder = newFolder();
      await fileStore(join(folder, 'a')).save(content(10));
      writeFileSync(join(folder, 'b'), '');
      expect(statSync(join(folder, 'a')).mode).toBe(statSync(join(folder, 'b')).mode);
    },
  );

  test('by a link is what the link leads to', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'real/deep'), { recursive: true });
    mkdirSync(join(folder, 'links'));
    symlinkSync(join(folder, 'real/deep'), join(folder, 'links/folder'));
    symlinkSync('../model', join(folder, 'real/deep/latest'));
    symlinkSync('latest', join(folder, 'real/deep/newest'));
    const store = fileStore(join(folder, 'links/folder/newest'));
    for (const size of [10, 20]) {
      await store.save(content(size));
      expect(readFileSync(join(folder, 'real/model'))).toEqual(Buffer.from(content(size)));
      expect((await store.load())!.bytes).toEqual(content(size));
    }
    expect(readdirSync(join(folder, 'real/deep')).sort()).toEqual(['latest', 'newest']);
    expect(lstatSync(join(folder, 'real/deep/newest')).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(folder, 'real')).sort()).toEqual(['deep', 'model']);
    symlinkSync('around', join(folder, 'round'));
    symlinkSync('round', join(folder, 'around'));
    await expect(fileStore(join(folder, 'round')).save(content(1))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
    });
  });

  test.skipIf(!existsSync('/dev/null'))('is never a device', async () => {
    const folder = newFolder();
    symlinkSync('/dev/null', join(folder, 'a'));
    const error = await fileStore(join(folder, 'a'))
      .save(content(1))
      .catch((reason) => reason);
    expect(error).toMatchObject({ code: 'ERR_CHECKPOINT', reason: 'io' });
    expect(error.message).toContain('expected a file, got a special file');
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

describe('large files', () => {
  test('are written and read in pieces, and hashed before they replace the other', async () => {
    // More than two pieces, and not a whole number of them.
    const bytes = new Uint8Array(Buffer.alloc(150 * 1024 * 1024 + 3, content(997)).buffer);
    const path = join(newFolder(), 'a');
    await fileStore(path).save(content(10));
    const { version } = await fileStore(path).save(bytes);
    expect(version).toBe(createHash('sha256').update(bytes).digest('hex'));
    const loaded = (await fileStore(path).load())!;
    expect(loaded.version).toBe(version);
    expectSameBytes(loaded.bytes, bytes);
    await fileStore(path).save(content(10), { ifVersion: version });
  });

  test('that grow or shrink while they are read are refused', async () => {
    const path = join(newFolder(), 'a');
    const { fs } = nodeModules();
    const open = fs.open;
    for (const size of [10, 30]) {
      writeFileSync(path, content(20));
      fs.open = (async (file: string, flags: string) => {
        const handle = await open(file, flags);
        const stat = handle.stat.bind(handle);
        handle.stat = (async () => {
          const result = await stat();
          writeFileSync(path, content(size));
          return result;
        }) as typeof handle.stat;
        return handle;
      }) as typeof fs.open;
      try {
        await expect(fileStore(path).load()).rejects.toMatchObject({
          code: 'ERR_CHECKPOINT',
          reason: 'io',
        });
      } finally {
        fs.open = open;
      }
    }
  });
});
