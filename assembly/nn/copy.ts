/** Copies of whole buffers. */
import { turnsEnd } from '../math/partial';

/** dst[i] = src[i] */
export function copy(dst: usize, src: usize, n: i32): void {
  for (const end = turnsEnd(dst, n); dst < end; dst += 64) {
    v128.store(dst, v128.load(src));
    v128.store(dst, v128.load(src, 16), 16);
    v128.store(dst, v128.load(src, 32), 32);
    v128.store(dst, v128.load(src, 48), 48);
    src += 64;
  }
}
