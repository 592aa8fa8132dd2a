/**
 * One of the two slots of `opfsStore`: a file that holds a checkpoint behind a header, read and written synchronously.
 *
 *     0      4        8        16         24               32                 40
 *     │ magic│ format │ length │ sequence │ sum of content │ sum of bytes 0-31│ content
 *
 * Little-endian. Invariant: the header is written last, so where it is whole the content was.
 */
import { checksum, versionOf } from './checksum';
import { CheckpointQuotaError, type StoredCheckpoint } from './store';

/** What is needed of a `FileSystemSyncAccessHandle`. */
export interface SyncAccessHandleLike {
  getSize(): number;
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** A slot as it was found. */
export interface Slot {
  readonly handle: SyncAccessHandleLike | null;
  /** Empty: never written, or a save was interrupted. Damaged: the header is whole, the content is not. */
  readonly state: 'empty' | 'damaged' | 'whole';
  /** 0 of an empty slot. */
  readonly sequence: number;
  /** Of a whole slot. */
  readonly content: StoredCheckpoint | null;
}

const HEADER_BYTES = 40;
const MAGIC = 0x4b43_4441; // "ADCK"
const FORMAT = 1;

/** Reads a slot; null is one whose file does not exist. */
export function readSlot(handle: SyncAccessHandleLike | null): Slot {
  const empty: Slot = { handle, state: 'empty', sequence: 0, content: null };
  const size = handle?.getSize() ?? 0;
  if (!handle || size < HEADER_BYTES) return empty;
  const header = new Uint8Array(HEADER_BYTES);
  if (handle.read(header, { at: 0 }) !== HEADER_BYTES) return empty;
  const view = new DataView(header.buffer);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== FORMAT) return empty;
  if (getSum(view, 32) !== checksum(header.subarray(0, 32))) return empty;
  const length = Number(view.getBigUint64(8, true));
  const sequence = Number(view.getBigUint64(16, true));
  const sum = getSum(view, 24);
  if (length !== size - HEADER_BYTES) return { ...empty, state: 'damaged', sequence };
  const bytes = new Uint8Array(length);
  if (handle.read(bytes, { at: HEADER_BYTES }) !== length || checksum(bytes) !== sum)
    return { ...empty, state: 'damaged', sequence };
  return { handle, state: 'whole', sequence, content: { bytes, version: versionOf(sequence, sum) } };
}

/**
 * Overwrites a slot. Interrupted at any moment, it is empty.
 * @returns the new version
 * @throws CheckpointQuotaError when not all is written
 */
export function writeSlot(handle: SyncAccessHandleLike, bytes: Uint8Array, sequence: number): string {
  const sum = checksum(bytes);
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT, true);
  view.setBigUint64(8, BigInt(bytes.length), true);
  view.setBigUint64(16, BigInt(sequence), true);
  setSum(view, 24, sum);
  setSum(view, 32, checksum(header.subarray(0, 32)));
  // Empties the slot; what is written beyond the end later leaves zeros where the header will be.
  handle.truncate(0);
  writeAll(handle, bytes, HEADER_BYTES);
  handle.flush();
  writeAll(handle, header, 0);
  handle.flush();
  return versionOf(sequence, sum);
}

function writeAll(handle: SyncAccessHandleLike, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    const count = handle.write(bytes.subarray(done), { at: at + done });
    if (!(count > 0)) throw new CheckpointQuotaError(bytes.length);
    done += count;
  }
}

function getSum(view: DataView, at: number): string {
  return view.getBigUint64(at, true).toString(16).padStart(16, '0');
}

function setSum(view: DataView, at: number, sum: string): void {
  view.setBigUint64(at, BigInt(`0x${sum}`), true);
}
