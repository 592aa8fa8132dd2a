/**
 * Owners of locks and temporary files: threads, as names of files tell them.
 *
 *     <place>-<process id>-<thread>-<start>
 *
 * The place is where process ids mean the same: on Linux one boot of one kernel and one PID
 * namespace, elsewhere one host. On Linux the thread is the kernel's id of it, and the start the
 * kernel's time of its start, so that an id that came again is told from the one before. Elsewhere
 * they are the number of the worker thread and the start of the process in milliseconds.
 *
 * Invariant: an owner is called gone only if it is; of what cannot be known age decides.
 */
import { checksum } from './checksum';
import { codeOf, type NodeModules } from './node-modules';

/** See above. */
export type Owner = string;

/** As names of files contain it. */
export const OWNER = '[0-9a-f]{16}-\\d+-\\d+-\\d+';

/** Starts of a process, computed twice, differ by less. */
const START_TOLERANCE_MS = 2000;
/** Field 22 of /proc/…/stat, counted from the one after the name, which may hold anything. */
const START_FIELD = 19;
const ENDED = -1;

/**
 * What is known of an owner. A thread of this process of which nothing else is known is 'thread'.
 */
export type Knowledge = 'alive' | 'gone' | 'thread' | 'unknown';

interface Parsed {
  readonly place: string;
  readonly process: number;
  readonly thread: number;
  readonly start: number;
  /** Whether thread and start are the kernel's. */
  readonly kernel: boolean;
}

/** The thread that runs this. Each has its own copy of this module. */
let own: Parsed | null = null;

/** This thread. */
export function ownOwner(node: NodeModules): Owner {
  own ??= describeThread(node);
  return `${own.place}-${own.process}-${own.thread}-${own.start}`;
}

/** What can be known of the owner. */
export function knowledgeOf(node: NodeModules, owner: Owner): Knowledge {
  own ??= describeThread(node);
  const [place, ...numbers] = owner.split('-');
  const [id, thread, start] = numbers.map(Number);
  if (place !== own.place || numbers.length !== 3 || !/^[\d-]+$/.test(numbers.join('-')))
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
 * Of a thread of a process that exists. Others' processes may be hidden: then they are what they
 * seem.
 */
function kernelSays(node: NodeModules, id: number, thread: number, start: number): Knowledge {
  const found = startOf(node, `/proc/${id}/task/${thread}/stat`);
  if (found !== null) return found === start ? 'alive' : 'gone';
  return startOf(node, `/proc/${id}/stat`) === null ? 'alive' : 'gone';
}

/** Of a thread of this process, or of one that had its id before it. */
function processSays(self: Parsed, thread: number, start: number): Knowledge {
  if (Math.abs(start - self.start) > START_TOLERANCE_MS) return 'gone';
  return thread === self.thread ? 'alive' : 'thread';
}

function describeThread(node: NodeModules): Parsed {
  const { os, process, crypto, threads } = node;
  const ids = { process: process.pid, thread: threads.threadId, kernel: false };
  const placeOf = (parts: readonly string[]) =>
    checksum(new TextEncoder().encode(JSON.stringify(parts)));
  if (process.platform !== 'linux') {
    const startMs = Number(process.hrtime.bigint() / 1_000_000n) - process.uptime() * 1000;
    return { ...ids, place: placeOf([os.hostname()]), start: Math.max(0, Math.round(startMs)) };
  }
  try {
    const { readFileSync, readlinkSync } = node.fsSync;
    // Read synchronously, hence by this thread and no helper: "<process>/task/<thread>".
    const self = /^(\d+)\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'));
    const start = startOf(node, '/proc/thread-self/stat');
    // Where /proc is of another namespace, it knows this process by another id.
    if (Number(self?.[1]) === process.pid && start !== null) {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const namespaces = ['pid', 'time'].map((name) =>
        linkOrNothing(node, `/proc/self/ns/${name}`),
      );
      if (namespaces[0] !== '') {
        return {
          place: placeOf([boot, ...namespaces]),
          process: process.pid,
          thread: Number(self![2]),
          start,
          kernel: true,
        };
      }
    }
  } catch {
    // No /proc, or it may not be read.
  }
  // A place of its own: no one takes its ids for those of others.
  return { ...ids, place: crypto.randomBytes(8).toString('hex'), start: 0 };
}

/**
 * When a thread was started, in the kernel's ticks; ENDED where it has ended and only not been
 * waited for; null when there is none, or it cannot be known.
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
