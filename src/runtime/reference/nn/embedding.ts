/** Rows of a table by index. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  const names = (index: number, rows: number) =>
    Number.isInteger(index) && index >= 0 && index < rows;
  return {
    /**
     * y[i][…] = table[indices[i]][…] for `count` indices, whole numbers as f32, and a table of
     * rows × dim. An index that names no row gives NaN.
     */
    // biome-ignore format: one line a role
    embedding(
      y: number, indices: number, table: number, count: number, rows: number, dim: number,
    ): void {
      const f = memory.f32;
      for (let i = 0; i < count * dim; ++i) {
        const index = f[at(indices) + Math.floor(i / dim)]!;
        f[at(y) + i] = names(index, rows) ? f[at(table) + index * dim + (i % dim)]! : Number.NaN;
      }
    },
    /**
     * dtable[row] = Σ dy[i] in f32 over ascending i with indices[i] = row. Indices that name no row
     * add nothing, nor do those of row `padding`, which is -1 if every row has a gradient.
     */
    // biome-ignore format: one line a role
    embeddingGrad(
      dtable: number, dy: number, indices: number,
      count: number, rows: number, dim: number, padding: number,
    ): void {
      const f = memory.f32;
      f.fill(0, at(dtable), at(dtable) + rows * dim);
      for (let i = 0; i < count * dim; ++i) {
        const index = f[at(indices) + Math.floor(i / dim)]!;
        if (names(index, rows) && index !== padding)
          f[at(dtable) + index * dim + (i % dim)]! += f[at(dy) + i]!;
      }
    },
  };
}
