/** Copies of whole buffers. */
import type { Arithmetic } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /** dst[i] = src[i] */
    copy(dst: number, src: number, n: number): void {
      const f = memory.f32;
      map(f, at(dst), n, (i) => f[at(src) + i]!);
    },
  };
}
