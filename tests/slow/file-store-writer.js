/**
 * Saves checkpoints of rising count until it is killed, and tells each count once its save is done.
 * See file-store-kill.test.ts.
 */
import { writeSync } from 'node:fs';
import { encodeSafetensors, fileStore } from '../../dist/checkpoint.js';

const [path, first] = process.argv.slice(2);
const store = fileStore(path);
let version = (await store.load())?.version ?? null;
for (let count = Number(first); ; count++) {
  const w = { shape: [65536], data: new Float32Array(65536).fill(count) };
  const bytes = encodeSafetensors({ w }, { count: String(count) });
  ({ version } = await store.save(bytes, { ifVersion: version }));
  writeSync(1, `${count}\n`);
}
