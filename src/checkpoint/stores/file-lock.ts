/**
 * A lock between threads of any processes, as a file that only one of them can create. It names its
 * owner (owner.ts), so that a lock whose owner was killed can be told from one in use, and be
 * broken; an owner of which nothing can be known keeps its lock by setting the file's time every
 * second.
 *
 * Invariant: a lock is broken only when its owner is gone, or has not said for long that it is
 * there. Who holds a lock asks `isHeld` just before the act it protects, and begins anew if it is
 * lost.
 */
import { CheckpointError } from '../../errors';
import { knowledgeOf, type Owner, ownOwner } from './lock-owner';
import { codeOf, type NodeModules } from './node-modules';

/** An owner that does not set its lock's time for so long has lost it. */
const ABANDONED_MS = 60_000;
/** Likewise a thread of this process, where a terminated one cannot be told from others. */
const ABANDONED_BY_THREAD_MS = 3000;
const HEARTBEAT_MS = 1000;
/** How long a lock is waited for: longer than an abandoned one lasts. */
const TIMEOUT_MS = 2 * ABANDONED_MS;
const RETRY_MS = 4;

/**
 * Whether what an owner left may be removed.
 * @param ageMs since it was last written to
 * @param maximumAgeMs after which it may be removed whoever owns it
 */
export function isAbandoned(
  node: NodeModules,
  owner: Owner,
  ageMs: number,
  maximumAgeMs: number,
): boolean {
  if (ageMs > maximumAgeMs) return true;
  const knowledge = knowledgeOf(node, owner);
  return knowledge === 'gone' || (knowledge === 'thread' && ageMs > ABANDONED_BY_THREAD_MS);
}

/** A lock that was taken. */
export interface Lock {
  /**
   * False when another has taken the lock for abandoned, as it may when this process was stopped.
   */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Waits for the lock and takes it.
 * @param file whose existence is the lock
 * @param temporary name of a file that is written on the way
 * @throws CheckpointError with the reason `'busy'` when others hold it for two minutes
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
        throw new CheckpointError('busy', `file ${file}: held by others for ${TIMEOUT_MS} ms`);
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

/** A thread's attempt to get a lock. */
interface Attempt {
  readonly node: NodeModules;
  readonly file: string;
  /** Holds `content` meanwhile. */
  readonly temporary: string;
  readonly content: string;
  /** Milliseconds by the file system's clock. */
  readonly now: () => number;
}

/**
 * The clock that the file system sets its files' times by, which on a network is another machine's.
 * @param file that was written just now
 */
export async function clockOf({ fs }: NodeModules, file: string): Promise<() => number> {
  const { mtimeMs } = await fs.stat(file);
  const start = performance.now();
  return () => mtimeMs + performance.now() - start;
}

/** Creates the lock with its content in one act; where the file system has no links, in two. */
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
 * Removes the lock if its owner is gone. Only one at a time breaks locks, or another one might
 * remove the lock of who came in between; breaking is a lock as well, broken as simply as can be
 * when its owner is gone.
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

/** What a lock holds whose owner is gone; null when it is in use, or not there. */
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
