/** Fingerprints of arrays. */
import { createHash } from 'node:crypto';

/** SHA-256 over the arrays' bytes, one after another, in hexadecimal. */
export function sha256(arrays: readonly Float32Array[]): string {
  const hash = createHash('sha256');
  for (const array of arrays) hash.update(new Uint8Array(array.slice().buffer));
  return hash.digest('hex');
}
