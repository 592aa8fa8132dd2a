/**
 * One of the two slots of `opfsStore`: a file with a header and a checkpoint, read and written
 * synchronously.
 *
 *     0       4        8        16         24                  32                     40
 *     │ magic │ format │ length │ sequence │ content checksum │ checksum of bytes 0-31 │ content
 *
 * All numbers are little-endian. Contents are read and written in pieces; where only the version is
 * needed, they are verified without being held in memory.
 *
 * Invariant: the header is written last, so if it is whole, the contents are.
 */
import { Checksum, checksum, versionOf } from './checksum';
import { CheckpointQuotaError, type StoredCheckpoint } from './store';

/** The part of `FileSystemSyncAccessHandle` that the store uses. */
export interface FileSystemSyncAccessHandleLike {
  getSize(): number;
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** A slot with its decoded header. */
export interface Slot {
  readonly handle: FileSystemSyncAccessHandleLike | null;
  /** Null for an empty slot: it was never written, or a save was interrupted. */
  readonly header: SlotHeader | null;
}

interface SlotHeader {
  readonly length: number;
  readonly sequence: number;
  /** Checksum of the contents. */
  readonly sum: string;
}

const HEADER_BYTES = 40;
const MAGIC = 0x4b43_4441; // "ADCK"
const FORMAT = 1;
/** Bytes per call: a multiple of 4, for the checksum, and below the limits of browsers. */
const PIECE_BYTES = 16 * 1024 * 1024;

/** Reads the header of a slot. @param handle null if the file does not exist */
export function readSlot(handle: FileSystemSyncAccessHandleLike | null): Slot {
  const empty: Slot = { handle, header: null };
  if (!handle || handle.getSize() < HEADER_BYTES) return empty;
  const header = new Uint8Array(HEADER_BYTES);
  if (readFully(handle, header, 0) !== HEADER_BYTES) return empty;
  const view = new DataView(header.buffer);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== FORMAT) return empty;
  if (getSum(view, 32) !== checksum(header.subarray(0, 32))) return empty;
  const length = Number(view.getBigUint64(8, true));
  const sequence = Number(view.getBigUint64(16, true));
  return { handle, header: { length, sequence, sum: getSum(view, 24) } };
}

/** Returns the version of the contents; null if the slot is empty or damaged. */
export function verifySlot({ handle, header }: Slot): string | null {
  if (!handle || !header || handle.getSize() !== HEADER_BYTES + header.length) return null;
  const piece = new Uint8Array(Math.min(PIECE_BYTES, header.length));
  const sum = new Checksum();
  for (let at = 0; at < header.length; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, header.length - at));
    if (readFully(handle, part, HEADER_BYTES + at) !== part.length) return null;
    sum.add(part);
  }
  return sum.digest() === header.sum ? versionOf(header.sequence, header.sum) : null;
}

/** Returns the contents and their version; null if the slot is empty or damaged. */
export function loadSlot({ handle, header }: Slot): StoredCheckpoint | null {
  if (!handle || !header || handle.getSize() !== HEADER_BYTES + header.length) return null;
  const bytes = new Uint8Array(header.length);
  if (readFully(handle, bytes, HEADER_BYTES) !== bytes.length || checksum(bytes) !== header.sum)
    return null;
  return { bytes, version: versionOf(header.sequence, header.sum) };
}

/** Reads until the buffer is full or the file ends; returns the number of bytes read. */
function readFully(handle: FileSystemSyncAccessHandleLike, bytes: Uint8Array, at: number): number {
  let done = 0;
  while (done < bytes.length) {
    const count = handle.read(bytes.subarray(done, done + PIECE_BYTES), { at: at + done });
    if (!(count > 0)) break;
    done += count;
  }
  return done;
}

/**
 * Overwrites a slot. If it is interrupted, the slot is empty.
 *
 * @returns the new version
 * @throws CheckpointQuotaError if there is no room for all bytes
 */
export function writeSlot(
  handle: FileSystemSyncAccessHandleLike,
  bytes: Uint8Array,
  sequence: number,
): string {
  const sum = checksum(bytes);
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT, true);
  view.setBigUint64(8, BigInt(bytes.length), true);
  view.setBigUint64(16, BigInt(sequence), true);
  setSum(view, 24, sum);
  setSum(view, 32, checksum(header.subarray(0, 32)));
  // Empties the slot. Writing beyond the end then leaves zeros in place of the header.
  handle.truncate(0);
  writeAll(handle, bytes, HEADER_BYTES);
  handle.flush();
  writeAll(handle, header, 0);
  handle.flush();
  return versionOf(sequence, sum);
}

function writeAll(handle: FileSystemSyncAccessHandleLike, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    const count = handle.write(bytes.subarray(done, done + PIECE_BYTES), { at: at + done });
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
