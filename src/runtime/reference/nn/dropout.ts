/** Dropout by a counter-based random number generator. */
import { philoxInto } from '../../../math/philox';
import type { Arithmetic } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  const words = new Uint32Array(4);
  return {
    /**
     * out[i] = word(i) < threshold ? 0 : x[i]·scale, where (key, stream, step, i) determine the
     * random u32 word(i): the same call on gradients is the backward pass. out may be x.
     */
    // biome-ignore format: one line a role
    dropout(
      out: number, x: number, n: number, threshold: number, scale: number,
      key0: number, key1: number, stream: number, step: number,
    ): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => {
        // Each 16 elements take word 0 of four counters first, then their words 1, 2 and 3.
        philoxInto(words, 4 * Math.floor(i / 16) + (i % 4), step, stream, 0, key0, key1);
        return words[(i % 16) >> 2]! < threshold ? 0 : f[at(x) + i]! * round(scale);
      });
    },
  };
}
