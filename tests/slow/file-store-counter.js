/**
 * Counts up in a file of its own and others' until the time is over; prints each count that it
 * saved, or the error that it had: node file-store-counter.js <path> <milliseconds>
 */
import { writeSync } from 'node:fs';
import { fileStore } from '../../dist/checkpoint.js';

const [path, milliseconds] = process.argv.slice(2);
const store = fileStore(path);
const end = performance.now() + Number(milliseconds);
while (performance.now() < end) {
  const latest = await store.load();
  const count = latest
    ? new DataView(latest.bytes.buffer, latest.bytes.byteOffset).getUint32(0, true)
    : 0;
  const bytes = new Uint8Array(20_000);
  new DataView(bytes.buffer).setUint32(0, count + 1, true);
  try {
    await store.save(bytes, { ifVersion: latest?.version ?? null });
    writeSync(1, `${count + 1}\n`);
  } catch (error) {
    if (error.reason !== 'conflict') writeSync(1, `${error.reason}: ${error.message}\n`);
  }
}
