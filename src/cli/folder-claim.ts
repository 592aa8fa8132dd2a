/**
 * One run folder has one writer: a process claims the folder before it writes, and is refused while
 * another process holds a claim.
 *
 * A claim is a Unix socket in the folder that its process listens on. Whether anybody listens is
 * the kernel's knowledge: a claim ends with its process, however that ends, and neither reused
 * process ids nor PID namespaces (containers that share a folder) matter. Where folders take no
 * sockets, a claim is a file that names its process; on Windows it is a named pipe.
 *
 * Protocol: a process creates its own claim first and looks for others then. Of two processes the
 * later one sees the earlier one's claim, so at most one goes on; two that see each other both step
 * back and try again. Each claim has a name of its own that never comes again, so removing the
 * claim of a dead process is safe at any time.
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

/** A folder that this process may write to. */
export interface FolderClaim {
  /**
   * Lets others have the folder. Harmless when called again; the end of the process does the same.
   */
  release(): void;
}

/**
 * <kernel>-<process id>-<random>: the first two are for messages and for claims of other machines.
 */
const CLAIM = /^writer-([0-9a-f]{8})-(\d+)-[0-9a-f]{16}\.lock$/;
/** A socket that does not listen yet is no claim. */
const UNFINISHED = '.new';
/** How long unfinished claims are left alone. */
const UNFINISHED_MS = 60_000;
/** Addresses of sockets are short: 108 bytes on Linux, 104 elsewhere. */
const MAX_ADDRESS_BYTES = 100;

/** Two that began at the same moment step back and try again for this long. */
const CONTEST_MS = 1000;
const RETRY_MS = 100;
/** How often a claim shows other machines that its process lives, and how long they look. */
const BEAT_MS = 3000;
const WATCH_MS = 4 * BEAT_MS;

/**
 * Claims an existing folder for this process.
 * @throws DataError when another process is writing to it; file errors with the path when it cannot
 * be written to
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
    `${folder}: ${who} is training in this folder: wait until it ends, or choose another --out`,
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
        // The folder is gone, or not ours any more: what is written next will tell.
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
      // It is a claim of no living process from now on.
    }
    this.#server?.close();
  }
}

/** A claim of this process; null when somebody removed it before it was complete. */
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

/** Where there are no sockets, an error of the folder itself shows here. */
function writeDescription(folder: string, name: string): void {
  try {
    writeFileSync(join(folder, name), describeProcess(process.pid) ?? '', { flag: 'wx' });
  } catch (error) {
    // The folder was asked for, not this file.
    throw Object.assign(error as NodeJS.ErrnoException, { path: folder });
  }
}

/** The names of other claims whose processes live; claims of dead ones are removed. */
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

/** Whether the process of a claim lives. */
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

/** Whether somebody listens; where that cannot be told, it counts as a yes. */
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

/** Claims that a wait has been announced for. */
const announced = new Set<string>();

/**
 * Whether a claim shows life: its time changes as long as its process lives. Clocks are not
 * compared.
 */
async function watch(path: string): Promise<boolean> {
  const timeOf = () => statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  const first = timeOf();
  const seconds = Math.ceil(WATCH_MS / 1000);
  if (!announced.has(path)) {
    announced.add(path);
    const origin = 'was made on another machine or before a restart';
    tell(
      `adal: ${printable(path)} ${origin}: waiting up to ${seconds} seconds to see whether its process is alive`,
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

/** A server on a socket in the folder; null where there can be none. It keeps no process alive. */
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

/**
 * Calls `body` with an address of a socket in the folder; with null when every address is too long.
 */
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

/** Which kernel this process runs on; containers of one machine share it. */
function kernelId(): string {
  const id = readIfThere('/proc/sys/kernel/random/boot_id') ?? hostname();
  return createHash('sha256').update(id).digest('hex').slice(0, 8);
}

/**
 * What tells a process from all others of its kernel: its PID namespace, its id, and when it began.
 */
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

/**
 * Whether a process that `describeProcess` described runs still; null where that cannot be known.
 */
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

/** Named pipes of Windows have one owner at a time, and end with it. */
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
