/**
 * Owners of locks and temporary files: threads, as the names of files identify them.
 *
 *     <scope>-<process id>-<thread>-<start>
 *
 * The scope is where process ids are unique: on Linux one boot of one kernel and one PID namespace,
 * elsewhere one host. On Linux the thread is the kernel's thread id, and the start is the kernel's
 * start time of the thread, which tells it from an earlier thread with the same id. Elsewhere they
 * are the number of the worker thread and the start of the process in milliseconds.
 *
 * Invariant: an owner is reported as 'gone' only if it has ended. If that cannot be known, the age
 * of the file decides.
 */
import { checksum } from './checksum';
import { codeOf, type NodeModules } from './node-modules';

/** An owner in the form above. */
export type Owner = string;

/** Pattern of an owner in a file name. */
export const OWNER = '[0-9a-f]{16}-\\d+-\\d+-\\d+';

/** The largest difference between two computations of the same start. */
const START_TOLERANCE_MS = 2000;
/** Index of the start time in /proc/…/stat, counted after the name, which may contain spaces. */
const START_FIELD = 19;
const ENDED = -1;

/**
 * State of an owner: 'thread' is a thread of this process that may or may not run, 'unknown' an
 * owner in another scope.
 */
export type OwnerState = 'alive' | 'gone' | 'thread' | 'unknown';

interface Parsed {
  readonly scope: string;
  readonly process: number;
  readonly thread: number;
  readonly start: number;
  /** Whether thread and start are those of the kernel. */
  readonly kernel: boolean;
}

/** The thread that runs this code. Each thread has its own copy of this module. */
let own: Parsed | null = null;

/** Returns this thread as an owner. */
export function ownOwner(node: NodeModules): Owner {
  own ??= describeThread(node);
  return `${own.scope}-${own.process}-${own.thread}-${own.start}`;
}

/** Returns the state of an owner. */
export function stateOf(node: NodeModules, owner: Owner): OwnerState {
  own ??= describeThread(node);
  const [scope, ...numbers] = owner.split('-');
  const [id, thread, start] = numbers.map(Number);
  if (scope !== own.scope || numbers.length !== 3 || !/^[\d-]+$/.test(numbers.join('-')))
    return 'unknown';
  if (id === own.process)
    return own.kernel ? kernelSays(node, id!, thread!, start!) : processSays(own, thread!, start!);
  try {
    node.process.kill(id!, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return 'gone';
  }
  return own.kernel ? kernelSays(node, id!, thread!, start!) : 'alive';
}

/**
 * Asks the kernel about a thread of a process that exists. Processes of other users may be hidden;
 * those count as alive.
 */
function kernelSays(node: NodeModules, id: number, thread: number, start: number): OwnerState {
  const found = startOf(node, `/proc/${id}/task/${thread}/stat`);
  if (found !== null) return found === start ? 'alive' : 'gone';
  return startOf(node, `/proc/${id}/stat`) === null ? 'alive' : 'gone';
}

/** Returns the state of a thread of this process, or of an earlier process with the same id. */
function processSays(self: Parsed, thread: number, start: number): OwnerState {
  if (Math.abs(start - self.start) > START_TOLERANCE_MS) return 'gone';
  return thread === self.thread ? 'alive' : 'thread';
}

function describeThread(node: NodeModules): Parsed {
  const { os, process, crypto, threads } = node;
  const ids = { process: process.pid, thread: threads.threadId, kernel: false };
  const scopeOf = (parts: readonly string[]) =>
    checksum(new TextEncoder().encode(JSON.stringify(parts)));
  if (process.platform !== 'linux') {
    const startMs = Number(process.hrtime.bigint() / 1_000_000n) - process.uptime() * 1000;
    return { ...ids, scope: scopeOf([os.hostname()]), start: Math.max(0, Math.round(startMs)) };
  }
  try {
    const { readFileSync, readlinkSync } = node.fsSync;
    // Synchronous, so that this thread reads it and not a helper: "<process>/task/<thread>".
    const self = /^(\d+)\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'));
    const start = startOf(node, '/proc/thread-self/stat');
    // If /proc belongs to another namespace, this process has another id there.
    if (Number(self?.[1]) === process.pid && start !== null) {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const namespaces = ['pid', 'time'].map((name) =>
        linkOrNothing(node, `/proc/self/ns/${name}`),
      );
      if (namespaces[0] !== '') {
        return {
          scope: scopeOf([boot, ...namespaces]),
          process: process.pid,
          thread: Number(self![2]),
          start,
          kernel: true,
        };
      }
    }
  } catch {
    // There is no /proc, or it is not readable.
  }
  // A scope of its own, so that nobody confuses its ids with others.
  return { ...ids, scope: crypto.randomBytes(8).toString('hex'), start: 0 };
}

/**
 * Returns when a thread was started, in ticks of the kernel; ENDED if it has ended but has not been
 * waited for; null if there is no such thread or it cannot be known.
 */
function startOf({ fsSync }: NodeModules, file: string): number | null {
  try {
    const stat = fsSync.readFileSync(file, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return ENDED;
    const start = Number(fields[START_FIELD]);
    return Number.isSafeInteger(start) ? start : null;
  } catch {
    return null;
  }
}

function linkOrNothing({ fsSync }: NodeModules, link: string): string {
  try {
    return fsSync.readlinkSync(link);
  } catch {
    return '';
  }
}
