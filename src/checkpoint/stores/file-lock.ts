/**
 * A lock between processes, as a file that only one of them can create. It holds its owner, so that the lock of a process that was
 * killed can be told from one in use, and be broken.
 *
 * Invariant: a lock is broken only when its owner is gone, or has kept it longer than any save takes. Who holds a lock asks
 * `assertHeld` just before the act it protects.
 */
import { CheckpointError } from '../../errors';
import { checksum } from './checksum';
import { codeOf, type NodeModules } from './node-modules';

/** A lock older than this is broken, whoever owns it: it is held only while files are compared and renamed. */
const ABANDONED_MS = 60_000;
/** How long a lock is waited for: longer than an abandoned one lasts. */
const TIMEOUT_MS = 2 * ABANDONED_MS;
const RETRY_MS = 4;
/** Starts of a process, computed twice, differ by less. */
const START_TOLERANCE_MS = 2000;

/** A process, as names of files tell it: "<machine>-<process id>-<start in ms since the machine's>". */
export type Owner = string;

/** This process. Threads of one process are one owner. */
export function ownOwner({ os, process }: NodeModules): Owner {
  const machine = checksum(new TextEncoder().encode(os.hostname())).slice(0, 8);
  const startMs = Math.round(Number(process.hrtime.bigint() / 1_000_000n) - process.uptime() * 1000);
  return `${machine}-${process.pid}-${Math.max(0, startMs)}`;
}

/**
 * Whether the owner is gone: another process, or none, has its id now. Of another machine's processes nothing is known, nor of
 * one whose id and start came again after the machine's: for those, age decides.
 */
export function isAbandoned(node: NodeModules, owner: Owner, ageMs: number, maximumAgeMs: number): boolean {
  if (ageMs > maximumAgeMs) return true;
  const [machine, id, start] = owner.split('-');
  const [ownMachine, ownId, ownStart] = ownOwner(node).split('-');
  if (machine !== ownMachine || !/^\d+$/.test(id ?? '')) return false;
  if (id === ownId) return Math.abs(Number(start) - Number(ownStart)) > START_TOLERANCE_MS;
  try {
    node.process.kill(Number(id), 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** A lock that is held. */
export interface Lock {
  /** @throws CheckpointError with the reason `'busy'` when another process has taken the lock for abandoned */
  assertHeld(): Promise<void>;
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
  const isHeld = async () => (await readIfThere(node, file)) === content;
  await fs.writeFile(temporary, content);
  try {
    for (const start = Date.now(); !(await create(node, file, temporary, content)); ) {
      if (await breakAbandoned(node, file, temporary, content)) continue;
      if (Date.now() - start > TIMEOUT_MS) throw new CheckpointError('busy', `file ${file}: held by others for ${TIMEOUT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  } finally {
    await fs.rm(temporary, { force: true });
  }
  return {
    async assertHeld() {
      if (!(await isHeld())) throw new CheckpointError('busy', `file ${file}: taken by another process`);
    },
    async release() {
      if (await isHeld()) await fs.rm(file, { force: true });
    },
  };
}

/** Creates the lock with its content in one act; where the file system has no links, in two. */
async function create({ fs }: NodeModules, file: string, temporary: string, content: string): Promise<boolean> {
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
 * Removes the lock if its owner is gone. Only one process at a time breaks locks, or another one might remove the lock of who came
 * in between; breaking is a lock as well, broken as simply as can be when its owner is gone.
 */
async function breakAbandoned(node: NodeModules, file: string, temporary: string, content: string): Promise<boolean> {
  const { fs } = node;
  const found = await abandonedContent(node, file);
  if (found === null) return false;
  const breaking = `${file}.break`;
  if (!(await create(node, breaking, temporary, content))) {
    if ((await abandonedContent(node, breaking)) === null) return false;
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
async function abandonedContent(node: NodeModules, file: string): Promise<string | null> {
  const content = await readIfThere(node, file);
  const stat = content === null ? null : await node.fs.stat(file).catch(() => null);
  if (content === null || stat === null) return null;
  return isAbandoned(node, content.split(' ')[0]!, Date.now() - stat.mtimeMs, ABANDONED_MS) ? content : null;
}

async function readIfThere({ fs }: NodeModules, file: string): Promise<string | null> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
