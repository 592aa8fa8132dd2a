/** Scaled dot-product attention of one sample, head by head. */
import { AttentionRecord } from '../../../../../build/nn-records';
import type { Arithmetic } from '../../math/arithmetic';
import { at, type ReferenceMemory } from '../../math/memory';

/** Rows of one head: element (row, column) is at index start + row·step + column. */
interface Rows {
  readonly start: number;
  readonly step: number;
}

export function kernels(memory: ReferenceMemory, { round, exp }: Arithmetic) {
  /** The sizes at `record`, the factor of scores, and the rows of head h of an array. */
  const read = (record: number) => {
    const { heads, queries, keys, keyDim, valueDim, causal, maskFloats } = new AttentionRecord(
      memory,
    ).at(record);
    const rowsOf = (address: number, dim: number, h: number): Rows => ({
      start: at(address) + h * dim,
      step: heads * dim,
    });
    const scale = round(1 / Math.sqrt(keyDim));
    return { heads, queries, keys, keyDim, valueDim, causal, maskFloats, scale, rowsOf };
  };
  /** Element of rows, */
  const get = ({ start, step }: Rows, row: number, column: number): number =>
    memory.f32[start + row * step + column]!;
  /** and that times a factor. */
  const scaled = (rows: Rows, factor: number) => (row: number, column: number) =>
    round(factor * get(rows, row, column));
  /** Σ a(i)·b(i) over ascending i below n. */
  const dot = (n: number, a: (i: number) => number, b: (i: number) => number): number => {
    let sum = 0;
    for (let i = 0; i < n; ++i) sum = round(sum + round(a(i) * b(i)));
    return sum;
  };
  /** The sum of n elements in f64, in four parts of every fourth. */
  const sumOf = (n: number, element: (i: number) => number): number => {
    const parts = [0, 0, 0, 0];
    for (let i = 0; i < n; ++i) parts[i % 4]! += element(i);
    return parts[0]! + parts[1]! + (parts[2]! + parts[3]!);
  };

  /** Softmax of a row over the keys that take part in it; 0 for the others. */
  const softmax = (p: number, keys: number, open: (key: number) => boolean): void => {
    const f = memory.f32;
    let largest = Number.NEGATIVE_INFINITY;
    let any = false;
    for (let j = 0; j < keys; ++j) {
      if (!open(j)) continue;
      any = true;
      if (f[p + j]! > largest) largest = f[p + j]!;
    }
    for (let j = 0; j < keys; ++j) f[p + j] = open(j) ? exp(round(f[p + j]! - largest)) : 0;
    if (!any) return;
    const factor = round(1 / sumOf(keys, (j) => f[p + j]!));
    for (let j = 0; j < keys; ++j) f[p + j] = f[p + j]! * factor;
  };

  return {
    /**
     * Writes the probabilities p of one sample, heads × queries × keys: the rows of
     * softmax((q/√keyDim)·kᵀ). q has queries × heads·keyDim elements, k has keys × heads·keyDim. A
     * key that the padding mask leaves out, or that comes after the query if `causal`, has
     * probability 0; where no key is left, all have. `mask` is the address of one float for each
     * key, 0 where it is left out, or of one number of keys, or 0 for no mask; `record` that of an
     * AttentionRecord, `scratch` that of attentionScratchBytes(…) bytes, 64-byte aligned.
     */
    // biome-ignore format: one line a role
    attentionScores(
      p: number, q: number, k: number, mask: number, record: number, _scratch: number,
    ): void {
      const { heads, queries, keys, keyDim, causal, maskFloats, scale, rowsOf } = read(record);
      const isOpen = (key: number): boolean =>
        maskFloats === 0 ||
        (maskFloats === 1 ? key < memory.f32[at(mask)]! : memory.f32[at(mask) + key] !== 0);
      for (let h = 0; h < heads; ++h) {
        const [ofQ, ofK] = [scaled(rowsOf(q, keyDim, h), scale), rowsOf(k, keyDim, h)];
        for (let i = 0; i < queries; ++i) {
          const row = at(p) + (h * queries + i) * keys;
          for (let j = 0; j < keys; ++j)
            memory.f32[row + j] = dot(keyDim, (c) => ofQ(i, c), (c) => get(ofK, j, c));
          softmax(row, keys, (j) => (causal === 0 || j <= i) && isOpen(j));
        }
      }
    },
    /**
     * Writes the attended values of one sample, p·v for each head: queries × heads·valueDim. v has
     * keys × heads·valueDim elements.
     */
    // biome-ignore format: one line a role
    attentionValues(
      out: number, p: number, v: number, record: number, _scratch: number,
    ): void {
      const { heads, queries, keys, valueDim, rowsOf } = read(record);
      for (let h = 0; h < heads; ++h) {
        const [to, ofV] = [rowsOf(out, valueDim, h), rowsOf(v, valueDim, h)];
        for (let i = 0; i < queries; ++i) {
          const row = at(p) + (h * queries + i) * keys;
          for (let c = 0; c < valueDim; ++c)
            memory.f32[to.start + i * to.step + c] = dot(
              keys,
              (j) => memory.f32[row + j]!,
              (j) => get(ofV, j, c),
            );
        }
      }
    },
    /**
     * Gradients of one sample through attentionValues and attentionScores, from the gradient d of
     * the attended values. `dropped` are the probabilities after dropout, which is p without one.
     * dq may be q, dk k, and dv v.
     */
    // biome-ignore format: one line a role
    attentionGrad(
      dq: number, dk: number, dv: number, d: number, p: number, dropped: number,
      q: number, k: number, v: number, record: number, _scratch: number,
    ): void {
      const f = memory.f32;
      const { heads, queries, keys, keyDim, valueDim, scale, rowsOf } = read(record);
      const copyOf = (address: number, count: number) =>
        f.slice(at(address), at(address) + count);
      for (let h = 0; h < heads; ++h) {
        const first = h * queries * keys;
        const [ofP, after] = [at(p) + first, at(dropped) + first];
        const [ofQ, ofK] = [rowsOf(q, keyDim, h), rowsOf(k, keyDim, h)];
        const [ofV, ofD] = [rowsOf(v, valueDim, h), rowsOf(d, valueDim, h)];
        const ds = new Float64Array(queries * keys);
        for (let i = 0; i < queries; ++i) {
          const row = i * keys;
          for (let j = 0; j < keys; ++j) {
            const dp = dot(valueDim, (c) => get(ofD, i, c), (c) => get(ofV, j, c));
            ds[row + j] = round(dp * f[after + row + j]!);
          }
          const sum = round(sumOf(keys, (j) => ds[row + j]!));
          for (let j = 0; j < keys; ++j)
            ds[row + j] = round(ds[row + j]! - round(f[ofP + row + j]! * sum));
        }
        // dq and dk are written last, from copies, since they may be q and k.
        const [oldQ, oldK] = [copyOf(q, queries * ofQ.step), copyOf(k, keys * ofK.step)];
        const column = h * keyDim;
        for (let j = 0; j < keys; ++j)
          for (let c = 0; c < valueDim; ++c)
            f[at(dv) + h * valueDim + j * ofV.step + c] = dot(
              queries,
              (i) => f[after + i * keys + j]!,
              (i) => get(ofD, i, c),
            );
        for (let i = 0; i < queries; ++i)
          for (let c = 0; c < keyDim; ++c) {
            const keyOf = (j: number) => oldK[j * ofK.step + column + c]!;
            f[at(dq) + column + i * ofQ.step + c] =
              scale * dot(keys, (j) => ds[i * keys + j]!, keyOf);
          }
        for (let j = 0; j < keys; ++j)
          for (let c = 0; c < keyDim; ++c) {
            const queryOf = (i: number) => round(scale * oldQ[i * ofQ.step + column + c]!);
            f[at(dk) + column + j * ofK.step + c] = dot(
              queries,
              (i) => ds[i * keys + j]!,
              queryOf,
            );
          }
      }
    },
  };
}
