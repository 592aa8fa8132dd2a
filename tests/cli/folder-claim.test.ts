/** One run folder has one writer, whatever has become of the writers before. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { claimFolder } from '../../src/cli/folder-claim';
import { adal, readRun, temporaryFolder } from './cli';

const TRAIN = ['train', '--model', 'softmax', '--epochs'];

/** A process whose start and end the test decides. */
function sleeper(): { id: number; kill: () => Promise<void> } {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1e6)'], { stdio: 'ignore' });
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return {
    id: child.pid!,
    kill: () => {
      child.kill('SIGKILL');
      return closed;
    },
  };
}

/** Settles a promise while a pretended clock runs: waiting for seconds takes none. */
async function inNoTime<T>(promise: Promise<T>): Promise<T> {
  let isPending = true;
  const end = () => (isPending = false);
  promise.then(end, end);
  while (isPending) {
    await vi.advanceTimersByTimeAsync(20);
    await new Promise(setImmediate); // sockets go by the event loop
  }
  return promise;
}

const claim = (folder: string) => inNoTime(claimFolder(folder));

describe.skipIf(process.platform === 'win32')('a claim', () => {
  beforeEach(() => {
    const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
    vi.useFakeTimers({ toFake: [...timers, 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const cwd = temporaryFolder();
  const folderOf = (name: string) => {
    mkdirSync(join(cwd, name));
    return join(cwd, name);
  };
  /** The kernel's id in the names of claims. */
  const kernelOf = async (folder: string) => {
    const held = await claim(folder);
    const [kernel] = /[0-9a-f]{8}/.exec(readdirSync(folder)[0])!;
    held.release();
    return kernel;
  };

  test('is refused while another is held, by other paths too, and leaves nothing', async () => {
    const folder = folderOf('a');
    symlinkSync(folder, join(cwd, 'link'));
    const held = await claim(folder);
    const refusal = new RegExp(`another process \\(${process.pid}\\) is training in this folder`);
    await expect(claim(folder)).rejects.toThrow(refusal);
    await expect(claim(join(cwd, 'link'))).rejects.toThrow(refusal);
    held.release();
    (await claim(folder)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is had by one of six that begin at the same moment', async () => {
    const folder = folderOf('b');
    let winners = 0;
    // They might all give way to each other for a second, though none of a thousand rounds did.
    for (let round = 0; round < 5 && winners === 0; round++) {
      const claims = await inNoTime(
        Promise.allSettled(Array.from({ length: 6 }, () => claimFolder(folder))),
      );
      const held = claims.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const refused = claims.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      winners = held.length;
      expect(winners).toBeLessThanOrEqual(1);
      for (const error of refused) expect(error.message).toMatch(/is training in this folder/);
      for (const each of held) each.release();
      expect(readdirSync(folder)).toEqual([]);
    }
    expect(winners).toBe(1);
  });

  test('has room in a path that is too long for an address', async () => {
    let folder = cwd;
    for (let depth = 0; depth < 6; depth++) mkdirSync((folder = join(folder, 'long'.repeat(10))));
    const held = await claim(folder);
    await expect(claim(folder)).rejects.toThrow('is training in this folder');
    held.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of a folder that cannot be written to names the folder', async () => {
    await expect(claim(join(cwd, 'missing'))).rejects.toMatchObject({
      code: 'ENOENT',
      path: join(cwd, 'missing'),
    });
  });

  test('that nobody listens on any more is removed', async () => {
    const folder = folderOf('c');
    const kernel = await kernelOf(folder);
    // A killed process leaves its socket; its id has passed on to this process.
    const name = `writer-${kernel}-${process.pid}-${'0'.repeat(16)}.lock`;
    const kill = "() => process.kill(process.pid, 'SIGKILL')";
    const script = `require('net').createServer().listen(${JSON.stringify(name)}, ${kill})`;
    expect(spawnSync(process.execPath, ['-e', script], { cwd: folder }).signal).toBe('SIGKILL');
    expect(readdirSync(folder)).toEqual([name]);
    (await claim(folder)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(process.platform !== 'linux')(
    'without a socket is judged by process, start and PID namespace',
    async () => {
      const folder = folderOf('d');
      const kernel = await kernelOf(folder);
      const other = sleeper();
      const stat = spawnSync('cat', [`/proc/${other.id}/stat`], { encoding: 'utf8' }).stdout;
      const start = stat.replace(/^.*\) /s, '').split(' ')[19];
      const namespace = spawnSync('readlink', ['/proc/self/ns/pid'], {
        encoding: 'utf8',
      }).stdout.trim();
      const put = (content: string) =>
        writeFileSync(join(folder, `writer-${kernel}-${other.id}-${'1'.repeat(16)}.lock`), content);
      put(`${namespace} ${other.id} ${start}`);
      await expect(claim(folder)).rejects.toThrow(`another process (${other.id}) is training`);
      // Another process has the id now.
      put(`${namespace} ${other.id} ${Number(start) + 1}`);
      (await claim(folder)).release();
      expect(readdirSync(folder)).toEqual([]);
      put(`${namespace} ${other.id} ${start}`);
      await other.kill();
      (await claim(folder)).release();
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test('of another machine is watched, and given up when it shows no life', async () => {
    const folder = folderOf('e');
    const name = `writer-00000000-1-${'2'.repeat(16)}.lock`;
    writeFileSync(join(folder, name), 'pid:[1] 1 1');
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const begin = performance.now();
    (await claim(folder)).release();
    expect(performance.now() - begin).toBeGreaterThanOrEqual(12_000);
    expect(told.mock.calls).toEqual([
      [expect.stringMatching(/comes from another machine .*: waiting up to 12 seconds to see/)],
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of another machine is respected as long as it shows life', async () => {
    const folder = folderOf('f');
    const name = join(folder, `writer-00000000-1-${'3'.repeat(16)}.lock`);
    writeFileSync(name, 'pid:[1] 1 1');
    vi.spyOn(console, 'error').mockImplementation(() => {});
    let beat = 0;
    const timer = setInterval(() => utimesSync(name, ++beat, beat), 3000);
    await expect(claim(folder)).rejects.toThrow('another process (1) is training in this folder');
    clearInterval(timer);
    expect(beat).toBeGreaterThan(0);
  });

  test('is not confused by other sockets and files', async () => {
    const folder = folderOf('g');
    const server = createServer().listen(join(folder, 'other.lock'));
    await new Promise((resolve) => server.once('listening', resolve));
    writeFileSync(join(folder, 'writer-.lock'), '');
    (await claim(folder)).release();
    expect(readdirSync(folder).sort()).toEqual(['other.lock', 'writer-.lock']);
    server.close();
  });
});

describe('two runs in one folder', () => {
  const cwd = temporaryFolder();

  test('that begin together: one trains, the other is refused', async () => {
    const runs = await Promise.all(
      ['1', '2'].map((seed) => adal([...TRAIN, '100', '--seed', seed, '--out', 'same'], cwd)),
    );
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 1]);
    const [done, refused] = runs[0].code === 0 ? runs : [runs[1], runs[0]];
    expect(refused.stderr).toMatch(
      /^adal: same: (another process .* is training in this folder|already contains a run)/m,
    );
    expect(done.stdout).toContain(readRun(join(cwd, 'same')).parameterHash);
    expect(readdirSync(join(cwd, 'same')).sort()).toEqual([
      'checkpoint.safetensors',
      'curves.svg',
      'run.json',
      'weights.safetensors',
    ]);
  });

  test('that are resumed together: one goes on, the other is refused', async () => {
    expect((await adal([...TRAIN, '1', '--out', 'twice'], cwd)).code).toBe(0);
    const resume = ['train', '--resume', 'twice', '--epochs', '400'];
    const runs = await Promise.all([adal(resume, cwd), adal(resume, cwd)]);
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 1]);
    const refused = runs.find(({ code }) => code === 1)!;
    expect(refused.stderr).toMatch(/^adal: twice: another process .* is training in this folder/m);
    expect(readRun(join(cwd, 'twice')).epochs).toHaveLength(400);
  });
});
