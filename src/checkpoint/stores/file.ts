/**
 * A checkpoint as a file, where there is a file system: Node, Deno, Bun.
 *
 *     write <path>.<owner>.<n>.tmp → fsync → lock → compare → rename to <path> → fsync of the folder → unlock
 *
 * Killed at any moment, the file is the old one or the new one, whole. What a killed process leaves, a temporary file or the lock,
 * is removed by a later save of the same path: it tells by the owner in its name whether that process still lives.
 */
import { isAbandoned, lockFile, type Owner, ownOwner } from './file-lock';
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

/** A temporary file older than this is removed, whoever owns it. */
const ABANDONED_MS = 3_600_000;
/** Who owns a temporary file. */
const TEMPORARY = /\.([0-9a-f]{8}-\d+-\d+)\.[0-9a-f]+\.tmp$/;
/** Windows refuses to rename over a file that is being read. */
const RENAME_TRIES = 20;
const RENAME_PAUSE_MS = 25;

/**
 * Keeps a checkpoint in a file, which others may read at any time: they see the old one or the new one.
 *
 * @param path of the file; its folder exists. Names that begin with it and end in `.tmp`, `.lock` or `.lock.break` are the store's
 * @throws ArgumentError for an empty path
 * @throws UnsupportedError from `load` and `save` where there is no file system
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
    const path = node.path.resolve(this.#path);
    const temporary = `${path}.${temporarySuffix(node)}`;
    try {
      await writeDurably(node, temporary, copy);
      await replace(node, path, temporary, options.ifVersion);
    } catch (error) {
      await node.fs.rm(temporary, { force: true }).catch(() => {});
      throw storageError(`file ${this.#path}`, error, copy.length);
    }
    await removeAbandoned(node, path).catch(() => {});
    return { version: versionOf(node, copy) };
  }
}

function temporarySuffix(node: NodeModules, owner: Owner = ownOwner(node)): string {
  return `${owner}.${node.crypto.randomBytes(6).toString('hex')}.tmp`;
}

function versionOf({ crypto }: NodeModules, bytes: Uint8Array): string {
  return crypto.createHash('sha256').update(bytes).digest('hex');
}

async function read(node: NodeModules, path: string): Promise<StoredCheckpoint | null> {
  try {
    const { buffer, byteOffset, length } = await node.fs.readFile(path);
    const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
    return { bytes, version: versionOf(node, bytes) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function writeDurably({ fs }: NodeModules, file: string, bytes: Uint8Array): Promise<void> {
  const handle = await fs.open(file, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Under the lock, so that nothing is saved between the comparison and the renaming. */
async function replace(node: NodeModules, path: string, temporary: string, ifVersion: SaveOptions['ifVersion']): Promise<void> {
  const lock = await lockFile(node, `${path}.lock`, `${path}.lock.${temporarySuffix(node)}`);
  try {
    if (ifVersion !== undefined) checkVersion(ifVersion, (await read(node, path))?.version ?? null);
    await lock.assertHeld();
    await rename(node, temporary, path);
    await syncFolder(node, node.path.dirname(path));
  } finally {
    await lock.release();
  }
}

async function rename({ fs }: NodeModules, from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await fs.rename(from, to);
    } catch (error) {
      if (tries === RENAME_TRIES || !['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error) ?? '')) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RENAME_PAUSE_MS));
  }
}

/** Makes the renaming itself durable, where folders can be synchronized (Windows does without). */
async function syncFolder({ fs }: NodeModules, folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!['EPERM', 'EACCES', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EBADF'].includes(codeOf(error) ?? '')) throw error;
  }
}

/** Removes the temporary files of processes that are gone. */
async function removeAbandoned(node: NodeModules, path: string): Promise<void> {
  const { fs, path: paths } = node;
  const folder = paths.dirname(path);
  for (const name of await fs.readdir(folder)) {
    const owner = name.startsWith(`${paths.basename(path)}.`) ? TEMPORARY.exec(name)?.[1] : undefined;
    if (owner === undefined) continue;
    const file = paths.join(folder, name);
    const ageMs = Date.now() - (await fs.stat(file)).mtimeMs;
    if (isAbandoned(node, owner, ageMs, ABANDONED_MS)) await fs.rm(file, { force: true });
  }
}
