/**
 * Claims of run folders: one process writes to a folder, others are refused.
 *
 * A claim is a Unix socket in the folder on which its process listens. The kernel knows whether
 * anybody listens, so a claim ends with its process, however that ends, and neither reused process
 * ids nor PID namespaces (containers that share a folder) matter. On file systems without sockets,
 * a claim is a file that names its process; on Windows it is a named pipe.
 *
 * Protocol: a process creates its own claim, then looks for others. Of two processes the later one
 * sees the claim of the earlier one, so at most one continues; two that see each other both
 * withdraw and try again. The name of a claim is unique, so the claim of a dead process can be
 * removed safely at any time.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join, relative } from 'node:path';
import { DataError } from '../index';
import { tell } from './output';
import { printable } from './printable';

/** The right of this process to write to a folder. */
export interface FolderClaim {
  /** Ends the claim, as the end of the process does. May be called repeatedly. */
  release(): void;
}

/** writer-<kernel>-<process id>-<random>.lock; kernel and id serve messages and other machines. */
const CLAIM = /^writer-([0-9a-f]{8})-(\d+)-[0-9a-f]{16}\.lock$/;
/** Suffix of a socket that does not listen yet, which is not a claim. */
const UNFINISHED = '.new';
/** Age at which unfinished claims are removed. */
const UNFINISHED_MS = 60_000;
/** The longest address of a socket is 108 bytes on Linux, 104 elsewhere. */
const MAX_ADDRESS_BYTES = 100;

/** How long two processes that started together withdraw and try again. */
const CONTEST_MS = 1000;
const RETRY_MS = 100;
/** How often a claim shows other machines that its process runs, and how long they watch. */
const BEAT_MS = 3000;
const WATCH_MS = 4 * BEAT_MS;

/**
 * Claims an existing folder for this process.
 *
 * @throws DataError if another process is writing to it; file errors with the path if it is not
 *   writable
 */
export async function claimFolder(folder: string): Promise<FolderClaim> {
  if (process.platform === 'win32') return claimPipe(folder);
  for (const begin = performance.now(); ; ) {
    const claim = await createClaim(folder);
    const others = claim ? await livingClaims(folder, claim.name) : [];
    if (claim && others.length === 0) return claim;
    claim?.release();
    if (claim && performance.now() - begin > CONTEST_MS)
      throw busy(folder, CLAIM.exec(others[0])?.[2]);
    await sleep(RETRY_MS * (0.2 + Math.random()));
  }
}

function busy(folder: string, id: string | undefined): DataError {
  const who = id === undefined ? 'another process' : `another process (${id})`;
  return new DataError(
    `${folder}: ${who} is training in this folder: wait for it to end, or choose another --out`,
  );
}

class Claim implements FolderClaim {
  readonly name: string;
  readonly #path: string;
  readonly #server: Server | null;
  readonly #beat: NodeJS.Timeout;
  readonly #onExit = () => this.release();

  constructor(folder: string, name: string, server: Server | null) {
    this.name = name;
    this.#path = join(folder, name);
    this.#server = server;
    this.#beat = setInterval(() => {
      try {
        utimesSync(this.#path, new Date(), new Date());
      } catch {
        // The folder is gone or not writable any more: the next write will report it.
      }
    }, BEAT_MS).unref();
    process.on('exit', this.#onExit);
  }

  release(): void {
    clearInterval(this.#beat);
    process.off('exit', this.#onExit);
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // From now on it is the claim of a dead process.
    }
    this.#server?.close();
  }
}

/** Creates a claim of this process; returns null if another process removed it meanwhile. */
async function createClaim(folder: string): Promise<Claim | null> {
  const name = `writer-${kernelId()}-${process.pid}-${randomBytes(8).toString('hex')}.lock`;
  const unfinished = name + UNFINISHED;
  const server = await listenIn(folder, unfinished);
  if (!server) writeDescription(folder, unfinished);
  try {
    renameSync(join(folder, unfinished), join(folder, name));
  } catch (error) {
    server?.close();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return new Claim(folder, name, server);
}

/** Writes a claim as a file, on file systems without sockets. */
function writeDescription(folder: string, name: string): void {
  try {
    writeFileSync(join(folder, name), describeProcess(process.pid) ?? '', { flag: 'wx' });
  } catch (error) {
    // Reports the folder, which the user named, not this file.
    throw Object.assign(error as NodeJS.ErrnoException, { path: folder });
  }
}

/** Returns the names of other claims whose processes run; removes those of dead processes. */
async function livingClaims(folder: string, own: string): Promise<string[]> {
  const living: string[] = [];
  for (const name of readdirSync(folder)) {
    const claim = name.endsWith(UNFINISHED) ? name.slice(0, -UNFINISHED.length) : name;
    if (claim === own || !CLAIM.test(claim)) continue;
    const path = join(folder, name);
    if (name === claim ? await isLiving(folder, name) : isYoung(path)) {
      if (name === claim) living.push(name);
    } else {
      rmSync(path, { force: true });
    }
  }
  return living;
}

function isYoung(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) < UNFINISHED_MS;
}

/** Tells whether the process of a claim runs. */
async function isLiving(folder: string, name: string): Promise<boolean> {
  const path = join(folder, name);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return false;
  const isOurKernel = CLAIM.exec(name)![1] === kernelId();
  if (stats.isSocket()) {
    if (await isListened(folder, name)) return true;
    if (isOurKernel) return false;
  } else if (isOurKernel) {
    const known = isRunning(readIfThere(path));
    if (known !== null) return known;
  }
  return watch(path);
}

/** Tells whether anybody listens on a socket; true if that cannot be known. */
function isListened(folder: string, name: string): Promise<boolean> {
  return withAddress(folder, name, (address) => {
    if (address === null) return Promise.resolve(true);
    return new Promise((resolve) => {
      const socket = connect({ path: address });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', ({ code }: NodeJS.ErrnoException) =>
        resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
      );
    });
  });
}

/** Claims for which a wait has been announced. */
const announced = new Set<string>();

/**
 * Watches whether the time of a claim changes, as it does while its process runs. Does not compare
 * clocks.
 */
async function watch(path: string): Promise<boolean> {
  const timeOf = () => statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  const first = timeOf();
  const seconds = Math.ceil(WATCH_MS / 1000);
  if (!announced.has(path)) {
    announced.add(path);
    const origin = 'comes from another machine or from before a restart';
    tell(
      `adal: ${printable(path)} ${origin}: waiting up to ${seconds} seconds to see whether its ` +
        'process is alive',
    );
  }
  for (const begin = performance.now(); performance.now() - begin < WATCH_MS; ) {
    await sleep(RETRY_MS);
    const now = timeOf();
    if (now === undefined) return false;
    if (now !== first) return true;
  }
  return false;
}

/** Listens on a socket in the folder; returns null if the file system has no sockets. */
function listenIn(folder: string, name: string): Promise<Server | null> {
  return withAddress(folder, name, (address) => {
    if (address === null) return Promise.resolve(null);
    return new Promise((resolve) => {
      const server = createServer((socket) => socket.destroy());
      server.on('error', () => resolve(null));
      server.listen({ path: address }, () => resolve(server.unref()));
    });
  });
}

/** Calls `body` with an address of a socket in the folder; null if every address is too long. */
async function withAddress<T>(
  folder: string,
  name: string,
  body: (address: string | null) => Promise<T>,
): Promise<T> {
  const path = join(folder, name);
  const short = [path, relative(process.cwd(), path)].find(
    (each) => Buffer.byteLength(each) <= MAX_ADDRESS_BYTES,
  );
  if (short !== undefined || process.platform !== 'linux') return body(short ?? null);
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    return await body(`/proc/self/fd/${descriptor}/${name}`);
  } finally {
    closeSync(descriptor);
  }
}

/** Identifies the kernel, which the containers of one machine share. */
function kernelId(): string {
  const id = readIfThere('/proc/sys/kernel/random/boot_id') ?? hostname();
  return createHash('sha256').update(id).digest('hex').slice(0, 8);
}

/** Identifies a process of this kernel by its PID namespace, its id and its start. */
function describeProcess(id: number): string | null {
  if (process.platform !== 'linux') return `- ${id} -`;
  // The name, the second field, may hold spaces and parentheses.
  const start = readIfThere(`/proc/${id}/stat`)?.replace(/^.*\)/s, '').trim().split(' ')[19];
  return start === undefined ? null : `${namespaceId()} ${id} ${start}`;
}

function namespaceId(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '-';
  }
}

/** Tells whether a process described by `describeProcess` still runs; null if it is not known. */
function isRunning(description: string | null): boolean | null {
  const [namespace, id, start] = description?.split(' ') ?? [];
  if (!/^\d+$/.test(id ?? '') || start === undefined) return null;
  if (process.platform === 'linux')
    return namespace === namespaceId() ? describeProcess(Number(id)) === description : null;
  try {
    process.kill(Number(id), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Claims a folder on Windows by a named pipe, which ends with its process. */
async function claimPipe(folder: string): Promise<FolderClaim> {
  const path = realpathSync.native(folder).toLowerCase();
  const name = `\\\\.\\pipe\\adal-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.on('error', ({ code }: NodeJS.ErrnoException) =>
      code === 'EADDRINUSE' || code === 'EACCES' ? reject(busy(folder, undefined)) : resolve(),
    );
    server.listen(name, resolve);
  });
  server.unref();
  return { release: () => server.close() };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
