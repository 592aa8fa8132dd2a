/**
 * A store that keeps a checkpoint in a file, for runtimes with a file system: Node, Deno, Bun.
 *
 *     write <path>.<owner>.<n>.tmp → fsync → lock → compare versions → rename to <path>
 *       → fsync the folder → unlock
 *
 * If the process is killed at any moment, the file is the old one or the new one, whole. A killed
 * process or terminated thread may leave a temporary file or the lock behind. A later save to the
 * same path removes them: the owner in their names tells whether that thread still runs.
 *
 * Invariant: files are written, hashed and read in pieces, so any size that fits into memory works;
 * a file is hashed before it replaces another.
 */
import { CheckpointError } from '../../errors';
import { clockOf, isAbandoned, lockFile } from './file-lock';
import { OWNER, type Owner, ownOwner } from './lock-owner';
import { codeOf, type NodeModules, nodeModules } from './node-modules';
import {
  type CheckpointStore,
  checkName,
  checkVersion,
  prepareSave,
  type SaveOptions,
  type StoredCheckpoint,
  storageError,
} from './store';

/** Age at which a temporary file is removed, whoever owns it. */
const ABANDONED_MS = 3_600_000;
/** Matches the name of a temporary file; the first group is its owner. */
const TEMPORARY = new RegExp(`\\.(${OWNER})\\.[0-9a-f]+\\.tmp$`);
/** Attempts to rename: Windows refuses while another process reads the file. */
const RENAME_TRIES = 20;
const RENAME_PAUSE_MS = 25;
/** Bytes per call; system calls accept less than 2 GiB. */
const PIECE_BYTES = 64 * 1024 * 1024;
/** Attempts of a save whose lock another writer has broken, taking it for abandoned. */
const LOCK_TRIES = 10;
/** The number of symbolic links that Linux follows. */
const MAX_LINKS = 40;
/** The permission bits of a file mode. */
const PERMISSIONS = 0o7777;

/**
 * Creates a store that keeps a checkpoint in a file. Others may read the file at any time: they see
 * the old one or the new one. A save keeps the permissions of the file, and follows symbolic links.
 * Any number of threads and processes may save to one path, even in containers or on machines that
 * share the folder.
 *
 * @param path path of the file, in an existing folder. The store also uses names that start with
 *   the path and end in `.tmp`, `.lock` or `.lock.break`
 * @throws ArgumentError for an empty path
 * @throws UnsupportedError from `load` and `save` if the runtime has no file system
 * @example
 * const store = fileStore('model.safetensors');
 * const latest = await store.load();
 * await store.save(bytes, { ifVersion: latest?.version ?? null });
 */
export function fileStore(path: string): CheckpointStore {
  checkName('path', path);
  return new FileStore(path);
}

class FileStore implements CheckpointStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<StoredCheckpoint | null> {
    const node = nodeModules();
    try {
      return await read(node, this.#path);
    } catch (error) {
      throw storageError(`file ${this.#path}`, error);
    }
  }

  async save(bytes: Uint8Array, options: SaveOptions = {}): Promise<{ version: string }> {
    const copy = prepareSave(bytes, options);
    const node = nodeModules();
    let temporary: string | null = null;
    try {
      const path = await followLinks(node, this.#path);
      temporary = `${path}.${temporarySuffix(node)}`;
      const version = await writeDurably(node, temporary, copy, await modeOf(node, path));
      await replace(node, path, temporary, options.ifVersion);
      await removeAbandoned(node, path).catch(() => {});
      return { version };
    } catch (error) {
      if (temporary !== null) await node.fs.rm(temporary, { force: true }).catch(() => {});
      throw storageError(`file ${this.#path}`, error, copy.length);
    }
  }
}

function temporarySuffix(node: NodeModules, owner: Owner = ownOwner(node)): string {
  return `${owner}.${node.crypto.randomBytes(6).toString('hex')}.tmp`;
}

/** Follows symbolic links; returns the path of the file, which need not exist. */
async function followLinks({ fs, path }: NodeModules, link: string): Promise<string> {
  let target = path.resolve(link);
  for (let count = 0; count < MAX_LINKS; count++) {
    // A ".." in a link is relative to the real folder.
    const folder = await fs.realpath(path.dirname(target));
    target = path.join(folder, path.basename(target));
    const stat = await fs.lstat(target).catch(ignoring('ENOENT'));
    if (!stat?.isSymbolicLink()) return target;
    target = path.resolve(folder, await fs.readlink(target));
  }
  throw new CheckpointError('io', `file ${link}: more than ${MAX_LINKS} symbolic links in a row`);
}

/** Owner and permissions of a file. */
interface Mode {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Returns null if there is no file. @throws CheckpointError for anything but a regular file */
async function modeOf({ fs }: NodeModules, path: string): Promise<Mode | null> {
  const stat = await fs.lstat(path).catch(ignoring('ENOENT'));
  if (stat === null) return null;
  if (stat.isFile()) return stat;
  throw new CheckpointError(
    'io',
    `file ${path}: expected a file, got ${stat.isDirectory() ? 'a folder' : 'a special file'}`,
  );
}

/** Returns a handler for `catch` that turns errors with one of these codes into null. */
function ignoring(...codes: string[]): (error: unknown) => null {
  return (error) => {
    if (codes.includes(codeOf(error) ?? '')) return null;
    throw error;
  };
}

/** Reads the checkpoint, whose version is its SHA-256. Returns null if there is no file. */
async function read(node: NodeModules, path: string): Promise<StoredCheckpoint | null> {
  const handle = await node.fs.open(path, 'r').catch(ignoring('ENOENT'));
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(size);
    const hash = node.crypto.createHash('sha256');
    for (let at = 0; at < size; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(PIECE_BYTES, size - at), at);
      if (bytesRead === 0) break;
      hash.update(bytes.subarray(at, at + bytesRead));
      at += bytesRead;
    }
    await checkSize(handle, path, size);
    return { bytes, version: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}

type Handle = Awaited<ReturnType<NodeModules['fs']['open']>>;

/** Throws if another program has changed the size of the file while it was read. */
async function checkSize(handle: Handle, path: string, size: number): Promise<void> {
  const { bytesRead } = await handle.read(new Uint8Array(1), 0, 1, size);
  const now = bytesRead > 0 ? size + 1 : (await handle.stat()).size;
  if (now !== size)
    throw new CheckpointError('io', `file ${path}: another program wrote to it while it was read`);
}

/** Returns the version of the file, reading it in pieces; null if there is no file. */
async function versionAt(node: NodeModules, path: string): Promise<string | null> {
  const handle = await node.fs.open(path, 'r').catch(ignoring('ENOENT'));
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const piece = new Uint8Array(Math.min(size, PIECE_BYTES));
    const hash = node.crypto.createHash('sha256');
    for (let at = 0; at < size; ) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, at);
      if (bytesRead === 0) break;
      hash.update(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** Writes a file and flushes it to disk. @returns its SHA-256 */
async function writeDurably(
  node: NodeModules,
  file: string,
  bytes: Uint8Array,
  mode: Mode | null,
): Promise<string> {
  const hash = node.crypto.createHash('sha256');
  const handle = await node.fs.open(file, 'wx', mode ? mode.mode & 0o600 : 0o666);
  try {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      const { bytesWritten } = await handle.write(piece, 0, piece.length, at);
      hash.update(piece.subarray(0, bytesWritten));
      at += bytesWritten;
    }
    if (mode) await takeOver(handle, mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}

/** Copies owner and permissions, as far as the user and the file system allow it. */
async function takeOver(handle: Handle, { mode, uid, gid }: Mode): Promise<void> {
  const codes = ['EPERM', 'EACCES', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'];
  const own = await handle.stat();
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid).catch(ignoring(...codes));
  if ((own.mode & PERMISSIONS) !== (mode & PERMISSIONS))
    await handle.chmod(mode & PERMISSIONS).catch(ignoring(...codes));
}

/** Compares versions and renames under the lock, so that no other save comes in between. */
async function replace(
  node: NodeModules,
  path: string,
  temporary: string,
  ifVersion: SaveOptions['ifVersion'],
): Promise<void> {
  for (let tries = 1; tries <= LOCK_TRIES; tries++) {
    const lock = await lockFile(node, `${path}.lock`, `${path}.lock.${temporarySuffix(node)}`);
    try {
      if (ifVersion !== undefined) checkVersion(ifVersion, await versionAt(node, path));
      if (!(await lock.isHeld())) continue;
      await rename(node, temporary, path);
      await syncFolder(node, node.path.dirname(path));
      return;
    } finally {
      await lock.release();
    }
  }
  throw new CheckpointError(
    'busy',
    `file ${path}: other writers broke the lock ${LOCK_TRIES} times`,
  );
}

async function rename({ fs }: NodeModules, from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await fs.rename(from, to);
    } catch (error) {
      if (tries === RENAME_TRIES || !['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error) ?? ''))
        throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RENAME_PAUSE_MS));
  }
}

/** Makes the renaming durable, on systems that can flush a folder (Windows cannot). */
async function syncFolder({ fs }: NodeModules, folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!['EPERM', 'EACCES', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EBADF'].includes(codeOf(error) ?? ''))
      throw error;
  }
}

/** Removes temporary files of threads that have ended. */
async function removeAbandoned(node: NodeModules, path: string): Promise<void> {
  const { fs, path: paths } = node;
  const folder = paths.dirname(path);
  // The file was written just now, so its time is the present by the file system's clock.
  const now = await clockOf(node, path);
  for (const name of await fs.readdir(folder)) {
    const owner = name.startsWith(`${paths.basename(path)}.`)
      ? TEMPORARY.exec(name)?.[1]
      : undefined;
    if (owner === undefined) continue;
    const file = paths.join(folder, name);
    const stat = await fs.stat(file).catch(() => null);
    if (stat && isAbandoned(node, owner, now() - stat.mtimeMs, ABANDONED_MS))
      await fs.rm(file, { force: true });
  }
}
