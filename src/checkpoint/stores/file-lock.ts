/**
 * A lock between threads of any processes: a file that only one of them can create. The file names
 * its owner (lock-owner.ts), so that others can tell the lock of a killed owner from one in use,
 * and break it. An owner also sets the file's time every second, for processes that cannot tell
 * whether it runs.
 *
 * Invariant: a lock is broken only if its owner has ended, or has not set the file's time for a
 * long time. The holder of a lock calls `isHeld` just before the operation that it protects, and
 * starts over if the lock is lost.
 */
import { CheckpointError } from '../../errors';
import { type Owner, ownOwner, stateOf } from './lock-owner';
import { codeOf, type NodeModules } from './node-modules';

/** An owner that has not set its lock's time for this long loses the lock. */
const ABANDONED_MS = 60_000;
/** The same for a thread of this process, on systems where its end cannot be detected. */
const ABANDONED_BY_THREAD_MS = 3000;
const HEARTBEAT_MS = 1000;
/** How long to wait for a lock; longer than an abandoned lock lasts. */
const TIMEOUT_MS = 2 * ABANDONED_MS;
const RETRY_MS = 4;

/**
 * Tells whether a file may be removed because its owner has ended.
 *
 * @param ageMs time since the file was last written to
 * @param maximumAgeMs age at which it may be removed whoever owns it
 */
export function isAbandoned(
  node: NodeModules,
  owner: Owner,
  ageMs: number,
  maximumAgeMs: number,
): boolean {
  if (ageMs > maximumAgeMs) return true;
  const state = stateOf(node, owner);
  return state === 'gone' || (state === 'thread' && ageMs > ABANDONED_BY_THREAD_MS);
}

/** A lock that this thread holds. */
export interface Lock {
  /**
   * Tells whether the lock is still held. Another process may have broken it, for instance while
   * this process was suspended.
   */
  isHeld(): Promise<boolean>;
  /** Releases the lock. */
  release(): Promise<void>;
}

/**
 * Waits for a lock and takes it.
 *
 * @param file path of the lock file
 * @param temporary path of a file that is written on the way
 * @throws CheckpointError with the reason `'busy'` if others hold the lock for two minutes
 */
export async function lockFile(node: NodeModules, file: string, temporary: string): Promise<Lock> {
  const { fs } = node;
  const content = `${ownOwner(node)} ${node.crypto.randomUUID()}`;
  await fs.writeFile(temporary, content, { flag: 'wx' });
  const now = await clockOf(node, temporary);
  const attempt: Attempt = { node, file, temporary, content, now };
  try {
    for (const start = performance.now(); !(await create(attempt, file)); ) {
      if (await breakAbandoned(attempt)) continue;
      if (performance.now() - start > TIMEOUT_MS) {
        throw new CheckpointError(
          'busy',
          `file ${file}: other writers held it for ${TIMEOUT_MS} ms`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  } finally {
    await fs.rm(temporary, { force: true });
  }
  const isHeld = async () => (await readIfThere(node, file)) === content;
  const beat = setInterval(() => {
    const seconds = now() / 1000;
    fs.utimes(file, seconds, seconds).catch(() => {});
  }, HEARTBEAT_MS);
  beat.unref?.();
  return {
    isHeld,
    async release() {
      clearInterval(beat);
      if (await isHeld()) await fs.rm(file, { force: true });
    },
  };
}

/** An attempt of this thread to take a lock. */
interface Attempt {
  readonly node: NodeModules;
  readonly file: string;
  /** A file with `content` that exists during the attempt. */
  readonly temporary: string;
  readonly content: string;
  /** Returns the time of the file system's clock, in milliseconds. */
  readonly now: () => number;
}

/**
 * Returns the clock by which the file system sets the times of its files. On a network file system
 * that is the clock of another machine.
 *
 * @param file a file that was written just now
 */
export async function clockOf({ fs }: NodeModules, file: string): Promise<() => number> {
  const { mtimeMs } = await fs.stat(file);
  const start = performance.now();
  return () => mtimeMs + performance.now() - start;
}

/** Creates the lock with its content: atomically, if the file system has hard links. */
async function create(
  { node: { fs }, temporary, content }: Attempt,
  file: string,
): Promise<boolean> {
  try {
    await fs.link(temporary, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
  }
  try {
    await fs.writeFile(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the lock if its owner has ended; tells whether to try again. Only one process may break a
 * lock at a time, since another one might remove the lock of a writer that came in between. So
 * breaking takes a second lock, which is removed without further protection if its owner has ended.
 */
async function breakAbandoned(attempt: Attempt): Promise<boolean> {
  const { node, file } = attempt;
  const { fs } = node;
  const found = await abandonedContent(attempt, file);
  if (found === null) return false;
  const breaking = `${file}.break`;
  if (!(await create(attempt, breaking))) {
    if ((await abandonedContent(attempt, breaking)) === null) return false;
    await fs.rm(breaking, { force: true });
    return true;
  }
  try {
    if ((await readIfThere(node, file)) === found) await fs.rm(file, { force: true });
  } finally {
    await fs.rm(breaking, { force: true });
  }
  return true;
}

/** Returns the content of a lock whose owner has ended; null if it is in use or missing. */
async function abandonedContent({ node, now }: Attempt, file: string): Promise<string | null> {
  const content = await readIfThere(node, file);
  const stat = content === null ? null : await node.fs.stat(file).catch(() => null);
  if (content === null || stat === null) return null;
  return isAbandoned(node, content.split(' ')[0]!, now() - stat.mtimeMs, ABANDONED_MS)
    ? content
    : null;
}

async function readIfThere({ fs }: NodeModules, file: string): Promise<string | null> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
