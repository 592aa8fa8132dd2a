/**
 * The nn kernels in plain TypeScript, one f32 operation at a time: the meaning of assembly/nn.ts, bit for bit, and what runs
 * where there is no WebAssembly SIMD. Every f32 result is rounded by Math.fround before it is used again.
 */
import { BLOCK, UNROLL } from '../../abi/layout';
import { log } from '../../math/log';
import type { NNKernels } from '../kernels-nn';
import type { LinearMemory } from '../memory';

const { fround } = Math;

/** Index into a 4-byte view. */
function at(address: number): number {
  return (address >>> 0) / 4;
}

/** Elements including padding. */
function padded(n: number): number {
  return Math.ceil(n / UNROLL) * UNROLL;
}

/** x[i] = value(i) for i < n; zeros up to the end of the padding. */
function map(x: Float32Array, start: number, n: number, value: (i: number) => number): void {
  for (let i = 0; i < n; ++i) x[start + i] = value(i);
  x.fill(0, start + n, start + padded(n));
}

/** Σ term(i), in blocks: 16 accumulators each, folded as assembly/math/reduce.ts does; blocks in order. */
function sumTerms(n: number, term: (i: number) => number): number {
  let total = 0;
  for (let first = 0; first < n; first += BLOCK) {
    const a = new Float64Array(16);
    const end = Math.min(first + BLOCK, padded(n));
    for (let i = first; i < end; ++i) a[i % 16]! += term(i);
    const lane = (l: number) =>
      a[l]! + a[l + 2]! + (a[l + 4]! + a[l + 6]!) + (a[l + 8]! + a[l + 10]! + (a[l + 12]! + a[l + 14]!));
    total += lane(0) + lane(1);
  }
  return total;
}

/** An operand of a product: element (row, col) is at index start + row·rowStep + col·colStep. */
interface Operand {
  readonly start: number;
  readonly rowStep: number;
  readonly colStep: number;
}

/** A dense matrix of `cols` columns. */
function dense(address: number, cols: number): Operand {
  return { start: at(address), rowStep: cols, colStep: 1 };
}

/** The transpose of a dense matrix of `cols` columns. */
function transposed(address: number, cols: number): Operand {
  return { start: at(address), rowStep: 1, colStep: cols };
}

/** C of m×n at index `c`: c_ij = Σ a_ip·b_pj over ascending p. */
function multiply(f: Float32Array, c: number, a: Operand, b: Operand, m: number, n: number, k: number): void {
  for (let i = 0; i < m; ++i) {
    for (let j = 0; j < n; ++j) {
      let sum = 0;
      let ai = a.start + i * a.rowStep;
      let bj = b.start + j * b.colStep;
      for (let p = 0; p < k; ++p) {
        sum = fround(sum + fround(f[ai]! * f[bj]!));
        ai += a.colStep;
        bj += b.rowStep;
      }
      f[c + i * n + j] = sum;
    }
  }
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);
const LOG2E = fround(Math.LOG2E);
const LN2_HIGH = 0.693359375;
const LN2_LOW = fround(-0.00021219444005469057);
const MAGIC = 12582912;
const LOWEST = fround(-87.33654);
/** 1/7!, …, 1/2!, 1, 1 */
const TAYLOR = [1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1, 1].map(fround);

/** e^x as assembly/math/exp.ts computes it. */
function exp(x: number): number {
  if (x < LOWEST) return 0;
  const t = fround(fround(x * LOG2E) + MAGIC);
  const k = fround(t - MAGIC);
  const r = fround(fround(x - fround(k * LN2_HIGH)) - fround(k * LN2_LOW));
  let p = TAYLOR[0]!;
  for (let i = 1; i < TAYLOR.length; ++i) p = fround(fround(r * p) + TAYLOR[i]!);
  float[0] = t;
  bits[0] = (bits[0]! << 23) + 0x3f800000;
  return fround(p * float[0]);
}

/** Loss of one row of x; d = its gradient over `rows`. */
function crossEntropyRow(d: Float32Array, x: Float32Array, label: number, rows: number): number {
  const cols = x.length;
  let largest = x[0]!;
  for (const value of x) if (value > largest) largest = value;
  const known = label >= 0 && label < cols;
  const z = known ? x[label]! - largest : Number.NaN;
  let sum = 0;
  for (let j = 0; j < cols; ++j) sum += d[j] = exp(fround(x[j]! - largest));
  const own = d[label]!;
  const scale = fround(1 / (sum * rows));
  for (let j = 0; j < cols; ++j) d[j] = d[j]! * scale;
  if (known) d[label] = (own / sum - 1) / rows;
  return log(sum) - z;
}

function firstGreatest(x: Float32Array): number {
  let best = 0;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < x.length; ++j) {
    if (Number.isNaN(x[j])) return j;
    if (x[j]! > greatest) greatest = x[(best = j)]!;
  }
  return best;
}

function elementWise(memory: LinearMemory) {
  return {
    fill(x: number, n: number, value: number): void {
      map(memory.f32, at(x), n, () => value);
    },
    copy(dst: number, src: number, n: number): void {
      const f = memory.f32;
      map(f, at(dst), n, (i) => f[at(src) + i]!);
    },
    scale(x: number, n: number, a: number): void {
      const f = memory.f32;
      map(f, at(x), n, (i) => f[at(x) + i]! * fround(a));
    },
    axpy(y: number, x: number, n: number, a: number): void {
      const f = memory.f32;
      map(f, at(y), n, (i) => f[at(y) + i]! + fround(fround(a) * f[at(x) + i]!));
    },
    add(out: number, a: number, b: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => f[at(a) + i]! + f[at(b) + i]!);
    },
    mul(out: number, a: number, b: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => f[at(a) + i]! * f[at(b) + i]!);
    },
    relu(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => (f[at(x) + i]! < 0 ? 0 : f[at(x) + i]!));
    },
    reluGrad(dx: number, dy: number, out: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => (f[at(out) + i]! > 0 ? f[at(dy) + i]! : 0));
    },
  };
}

function reductions(memory: LinearMemory) {
  return {
    dot(x: number, y: number, n: number): number {
      const f = memory.f32;
      return sumTerms(n, (i) => f[at(x) + i]! * f[at(y) + i]!);
    },
    sum(x: number, n: number): number {
      const f = memory.f32;
      return sumTerms(n, (i) => f[at(x) + i]!);
    },
    absSum(x: number, n: number): number {
      const f = memory.f32;
      return sumTerms(n, (i) => Math.abs(f[at(x) + i]!));
    },
    squareSum(x: number, n: number): number {
      const f = memory.f32;
      return sumTerms(n, (i) => f[at(x) + i]! * f[at(x) + i]!);
    },
    maxAbs(x: number, n: number): number {
      // Math.max passes NaN on.
      return memory.f32.subarray(at(x), at(x) + n).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    },
  };
}

function matrices(memory: LinearMemory) {
  return {
    gemmNN(c: number, a: number, b: number, m: number, n: number, k: number, _scratch: number): void {
      multiply(memory.f32, at(c), dense(a, k), dense(b, n), m, n, k);
    },
    gemmNT(c: number, a: number, b: number, m: number, n: number, k: number, _scratch: number): void {
      multiply(memory.f32, at(c), dense(a, k), transposed(b, k), m, n, k);
    },
    gemmTN(c: number, a: number, b: number, m: number, n: number, k: number, _scratch: number): void {
      multiply(memory.f32, at(c), transposed(a, m), dense(b, n), m, n, k);
    },
    biasAdd(x: number, bias: number, rows: number, cols: number): void {
      const f = memory.f32;
      for (let i = 0; i < rows * cols; ++i) f[at(x) + i]! += f[at(bias) + (i % cols)]!;
    },
    biasGrad(db: number, dy: number, rows: number, cols: number): void {
      const f = memory.f32;
      for (let c = 0; c < cols; ++c) {
        let sum = 0;
        for (let r = 0; r < rows; ++r) sum += f[at(dy) + r * cols + c]!;
        f[at(db) + c] = sum;
      }
    },
  };
}

function classification(memory: LinearMemory) {
  const row = (address: number, r: number, cols: number) =>
    memory.f32.subarray(at(address) + r * cols, at(address) + (r + 1) * cols);
  const argmaxOf = (logits: number, r: number, cols: number) => firstGreatest(row(logits, r, cols));
  return {
    softmaxCrossEntropy(dlogits: number, logits: number, labels: number, rows: number, cols: number): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) {
        const label = memory.i32[at(labels) + r]!;
        total += crossEntropyRow(row(dlogits, r, cols), row(logits, r, cols), label, rows);
      }
      return total / rows;
    },
    argmax(out: number, logits: number, rows: number, cols: number): void {
      for (let r = 0; r < rows; ++r) memory.i32[at(out) + r] = argmaxOf(logits, r, cols);
    },
    predictedMatches(logits: number, labels: number, rows: number, cols: number): number {
      let matches = 0;
      for (let r = 0; r < rows; ++r) if (argmaxOf(logits, r, cols) === memory.i32[at(labels) + r]) ++matches;
      return matches;
    },
  };
}

/** 12 chains of c ← c·a + b, two links an iteration, then folded as the kernel does. */
function peakMulAdd(iterations: number): number {
  const step = fround(fround(iterations) * fround(1e-12));
  const a = fround(1 - step);
  const c = Array.from({ length: 12 }, (_, i) => {
    let value = fround(a * i);
    for (let links = 2 * iterations; links > 0; --links) value = fround(fround(value * a) + step);
    return value;
  });
  const pair = (i: number) => fround(c[i]! + c[i + 1]!);
  const half = (i: number) => fround(fround(pair(i) + pair(i + 2)) + pair(i + 4));
  return fround(half(0) + half(6));
}

/** The nn kernels over `memory`, in TypeScript. */
export function createOracleNN(memory: LinearMemory): NNKernels {
  return { ...elementWise(memory), ...reductions(memory), ...matrices(memory), ...classification(memory), peakMulAdd };
}
