/**
 * Optimizers whose update is that of matrices: which parameters are matrices, and the records and
 * workspace that assembly/optimizers/orthogonalize.ts reads. Only Muon loads it.
 */
import {
  MATRIX_RECORD_SIZE,
  MATRIX_WORK_RECORD_SIZE,
  MatrixRecord,
  MatrixWorkRecord,
} from '../../build/optim-records';
import { ALIGNMENT } from '../memory-layout/constants';
import { Parameter } from '../tensors/parameter';
import type { GroupPart } from './declaration';
import type { CheckedInit } from './registered-parameter';
import type { MatrixLayout, TableEntry } from './step-table';

/**
 * Splits a group of matrices from what is none: sparse parameters, and those with fewer than two
 * axes.
 * @param others hyperparameters of those
 */
export function splitMatrices<H>(
  values: H,
  others: H,
  entries: readonly CheckedInit[],
): readonly GroupPart<H>[] {
  const isMatrix = ({ init }: CheckedInit) =>
    !init.sparse && (init instanceof Parameter ? init.value.shape : init.shape).length >= 2;
  const parts = [
    { values, entries: entries.filter(isMatrix) },
    { values: others, entries: entries.filter((entry) => !isMatrix(entry)) },
  ];
  return parts.filter((part) => part.entries.length > 0);
}

/** A MatrixWorkRecord, a MatrixRecord for every matrix, and the workspace of the largest. */
export const MATRIX_LAYOUT: MatrixLayout = {
  byteLength(entries) {
    const { count, wide, tall, square } = sizesOf(entries);
    return count > 0 ? recordBytes(count) + 2 * wide + tall + 2 * square : 0;
  },
  describe(memory, address, entries, tensorAt) {
    const { count, wide, tall, square } = sizesOf(entries);
    const work = new MatrixWorkRecord(memory).at(address);
    const matrix = new MatrixRecord(memory).at(address + MATRIX_WORK_RECORD_SIZE);
    for (const [index, { parameter, columns }] of entries.entries()) {
      if (columns === 0) continue;
      matrix.tensor = tensorAt(index);
      matrix.rows = parameter.value.length / columns;
      matrix.columns = columns;
      matrix.at(matrix.address + MATRIX_RECORD_SIZE);
    }
    work.count = count;
    work.x = address + recordBytes(count);
    work.next = work.x + wide;
    work.transposed = work.next + wide;
    work.square = work.transposed + tall;
    work.polynomial = work.square + square;
  },
  // 20 to 30 operations for every element and row of X, at about 35 a nanosecond (simd, Node 20).
  workOf: (entry) => 1 + smallerSide(entry) / 2,
};

function recordBytes(count: number): number {
  const bytes = MATRIX_WORK_RECORD_SIZE + MATRIX_RECORD_SIZE * count;
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function smallerSide({ parameter, columns }: TableEntry): number {
  return Math.min(parameter.value.length / columns, columns);
}

/** Returns the number of matrices, and bytes of X, Xᵀ and A of the largest, with padded rows. */
function sizesOf(entries: readonly TableEntry[]) {
  const stride = (columns: number) => 64 * (Math.ceil(columns / 16) | 1);
  const sizes = { count: 0, wide: 0, tall: 0, square: 0 };
  for (const entry of entries) {
    if (entry.columns === 0) continue;
    const small = smallerSide(entry);
    const large = entry.parameter.value.length / small;
    const even = small + (small % 2);
    sizes.count++;
    sizes.wide = Math.max(sizes.wide, even * stride(large));
    sizes.tall = Math.max(sizes.tall, large * stride(small));
    sizes.square = Math.max(sizes.square, even * stride(small));
  }
  return sizes;
}
