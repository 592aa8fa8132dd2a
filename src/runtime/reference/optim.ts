/**
 * The optim module in plain TypeScript: the reference the kernels must match bit for bit, and the
 * fallback where there is no WASM SIMD. Math.fround after every operation makes f64 arithmetic
 * round as f32 does (double rounding of + - × ÷ √ from f64 to f32 is harmless), so the only thing
 * to check by eye is the order of operations.
 */

import { pow2 } from '../../math/exponent';
import * as scalars from '../../memory-layout/adal-scalars';
import * as L from '../../memory-layout/constants';
import type { OptimKernels } from '../kernels';
import type { LinearMemory } from '../memory';
import { type CompactMoment, decodeMoment, encodeMoment, roundingKey } from './compact-state';
import { ORACLE_RULES, type OracleRule } from './rules';

const f = Math.fround;

/** The kernels over one memory. */
export function createOracleOptim(memory: LinearMemory): OptimKernels {
  function stepTasks(op: number, table: number, from: number, to: number): void {
    const { u32 } = memory;
    const tasks = u32[(table + L.STEP_TASKS) >>> 2] >>> 2;
    const blocks = u32[(table + L.STEP_BLOCKS) >>> 2];
    const partials = u32[(table + L.STEP_PARTIALS) >>> 2];
    for (let i = u32[tasks + from]; i < u32[tasks + to]; i++) {
      const block = blocks + i * L.BLOCK_SIZE;
      const tensor = u32[(block + L.BLOCK_TENSOR) >>> 2];
      const first = u32[(block + L.BLOCK_FIRST) >>> 2];
      const length = u32[(block + L.BLOCK_LENGTH) >>> 2];
      if (op === L.OP_NORM)
        measureBlock(memory, table, tensor, first, length, partials + i * L.PARTIAL_SIZE);
      else updateBlock(memory, table, tensor, first, length);
    }
  }

  function stepAdvance(op: number, table: number): number {
    return op === L.OP_NORM && settle(memory, table) ? L.OP_UPDATE : L.OP_NONE;
  }

  return {
    stepTasks,
    stepAdvance,
    step(table) {
      for (let op: number = L.OP_NORM; op !== L.OP_NONE; op = stepAdvance(op, table)) {
        stepTasks(op, table, 0, memory.u32[(table + L.STEP_TASK_COUNT) >>> 2]);
      }
    },
    combine: (out, x, y, n, a, b) =>
      combine(memory.f32, [out >>> 2, x >>> 2, y >>> 2], n, f(a), f(b)),
    gatherRows: (out, table, rows, count, bytes) =>
      eachRow(memory, rows, count, bytes, (from, to, u8) =>
        u8.copyWithin(out + to, table + from, table + from + bytes),
      ),
    scatterRows: (table, x, rows, count, bytes) =>
      eachRow(memory, rows, count, bytes, (to, from, u8) =>
        u8.copyWithin(table + to, x + from, x + from + bytes),
      ),
    halve: (x) => f(x * 0.5),
  };
}

/** out = x - b·(a·x - y); the three begin at these indices. Padding is zero and stays so. */
function combine(
  f32: Float32Array,
  [out, x, y]: readonly number[],
  n: number,
  a: number,
  b: number,
): void {
  for (let i = 0; i < n; i++) {
    const v = f32[x + i];
    f32[out + i] = v - f(b * f(f(a * v) - f32[y + i]));
  }
}

/**
 * Calls `copy` with the byte offsets of every listed row, in its table and among those gathered.
 */
function eachRow(
  { buffer, u32 }: LinearMemory,
  rows: number,
  count: number,
  bytes: number,
  copy: (inTable: number, gathered: number, u8: Uint8Array) => void,
): void {
  const u8 = new Uint8Array(buffer);
  for (let i = 0; i < count; i++) copy(u32[(rows >>> 2) + i] * bytes, i * bytes, u8);
}

/** A block's gradient, clamped where the table says so. A copy. */
function gradientOf(
  memory: LinearMemory,
  table: number,
  tensor: number,
  first: number,
  length: number,
): Float32Array {
  const { f32, u32 } = memory;
  const start = (u32[(tensor + L.TENSOR_GRAD) >>> 2] >>> 2) + first;
  const limit = f32[(table + L.STEP_CLIP_VALUE) >>> 2];
  const g = f32.slice(start, start + length);
  return limit > 0 ? g.map((x) => (x > limit ? limit : x < -limit ? -limit : x)) : g;
}

/** The partial norms of a block's gradient. */
function measureBlock(
  memory: LinearMemory,
  table: number,
  tensor: number,
  first: number,
  length: number,
  partial: number,
): void {
  const { f32, f64, i32, u32 } = memory;
  const g = gradientOf(memory, table, tensor, first, length);
  const clamped = absSumBlock(g, 0, length);
  const norm = i32[(table + L.STEP_CLIP_NORM) >>> 2];
  f64[(partial + L.PARTIAL_SUM) >>> 3] = absSumBlock(
    f32,
    (u32[(tensor + L.TENSOR_GRAD) >>> 2] >>> 2) + first,
    length,
  );
  f64[(partial + L.PARTIAL_CLAMPED) >>> 3] = clamped;
  let clip = clamped;
  if (norm === L.CLIP_L2) clip = sumBlock(g, 0, length, (x) => x * x);
  else if (norm === L.CLIP_MAX) clip = g.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  f64[(partial + L.PARTIAL_CLIP) >>> 3] = clip;
}

/** Σ|x|. */
export function absSumBlock(x: Float32Array, first: number, length: number): number {
  return sumBlock(x, first, length, Math.abs);
}

/**
 * A sum of terms: that of element i goes to accumulator i mod 16; then the fixed fold of
 * assembly/math/reduce.ts.
 */
function sumBlock(
  x: Float32Array,
  first: number,
  length: number,
  term: (x: number) => number,
): number {
  const a = new Float64Array(16);
  for (let i = 0; i < length; i++) a[i & 15] += term(x[first + i]);
  return foldSixteen(a);
}

/** The sixteen accumulators as eight pairs, added pairwise; then lane 0 + lane 1. */
function foldSixteen(a: Float64Array): number {
  const lane = (j: number) =>
    a[j] + a[j + 2] + (a[j + 4] + a[j + 6]) + (a[j + 8] + a[j + 10] + (a[j + 12] + a[j + 14]));
  return lane(0) + lane(1);
}

/**
 * One block's update: decoded, stepped and encoded as a whole, since the order of elements does not
 * matter.
 */
function updateBlock(
  memory: LinearMemory,
  table: number,
  tensor: number,
  first: number,
  length: number,
): void {
  const { f32, u32, i32 } = memory;
  const word = (field: number) => u32[(tensor + field) >>> 2];
  const rule = ORACLE_RULES[u32[(table + L.STEP_RULE) >>> 2]];
  const place = (field: number) =>
    f32.subarray((word(field) >>> 2) + first, (word(field) >>> 2) + first + length);
  const format = word(L.TENSOR_FORMAT);
  const g = gradientOf(memory, table, tensor, first, length);
  const constants = (tensor + L.TENSOR_CONSTANTS) >>> 2;
  const k = f32.slice(constants, constants + L.CONSTANT_COUNT);
  const flushing = i32[(tensor + L.TENSOR_FLUSH) >>> 2] === 1;
  const p = place(L.TENSOR_PARAM);
  const s2 = place(L.TENSOR_STATE2);
  if (format === L.FORMAT_F32) {
    applyRule(rule, k, flushing, p, g, place(L.TENSOR_STATE0), place(L.TENSOR_STATE1), s2);
    return;
  }
  const m = new Float32Array(length);
  const v = new Float32Array(length);
  const first0: CompactMoment = {
    kind: 'first',
    format,
    codes: word(L.TENSOR_STATE0),
    scales: word(L.TENSOR_SCALES0),
  };
  const second: CompactMoment = {
    kind: 'second',
    format,
    codes: word(L.TENSOR_STATE1),
    scales: word(L.TENSOR_SCALES1),
  };
  decodeMoment(memory, first0, first, m);
  decodeMoment(memory, second, first, v);
  applyRule(rule, k, flushing, p, g, m, v, s2);
  // What a rule leaves in the padding must not count in the last block's scale.
  m.fill(0, word(L.TENSOR_LENGTH) - first);
  v.fill(0, word(L.TENSOR_LENGTH) - first);
  const key = roundingKey(word(L.TENSOR_SEED), i32[(tensor + L.TENSOR_STEP) >>> 2]);
  encodeMoment(memory, first0, first, m, key);
  encodeMoment(memory, second, first, v, key);
}

/** A rule over all elements of these arrays. */
function applyRule(
  { update, flush }: OracleRule,
  k: Float32Array,
  flushing: boolean,
  p: Float32Array,
  g: Float32Array,
  s0: Float32Array,
  s1: Float32Array,
  s2: Float32Array,
): void {
  for (let i = 0; i < p.length; i++) {
    update({ p, g, s0, s1, s2 }, i, k);
    if (flushing) flush({ p, g, s0, s1, s2 }, i, k);
  }
}

/**
 * Norms, the finite check, clipping, all scalars; then acceptance of the whole step, or of none of
 * it.
 */
function settle(memory: LinearMemory, table: number): boolean {
  const { f64, i32, u32 } = memory;
  const status = (table + L.STEP_STATUS) >>> 2;
  const first = u32[(table + L.STEP_TENSORS) >>> 2];
  const count = u32[(table + L.STEP_TENSOR_COUNT) >>> 2];
  const active: number[] = [];
  for (let j = 0; j < count; j++) {
    const tensor = first + j * L.TENSOR_SIZE;
    if (u32[(tensor + L.TENSOR_BLOCK_COUNT) >>> 2] > 0) active.push(tensor);
  }
  const gradNorm = sumNorms(memory, table, active);
  f64[(table + L.STEP_GRAD_NORM) >>> 3] = gradNorm;
  if (!Number.isFinite(gradNorm)) {
    i32[status] = L.STATUS_NON_FINITE;
    return false;
  }
  const total = clipNorms(memory, table, active);
  const global = i32[(table + L.STEP_GLOBAL_NORM) >>> 2] === 1;
  for (const tensor of active) {
    const own = f64[(tensor + L.TENSOR_CLIP) >>> 3] * f64[(tensor + L.TENSOR_NORM) >>> 3];
    if (!prepare(memory, table, tensor, global ? total : own)) {
      i32[status] = L.STATUS_OVERFLOW;
      u32[(table + L.STEP_OFFENDER) >>> 2] = tensor;
      return false;
    }
  }
  for (const tensor of active) accept(memory, tensor);
  i32[status] = L.STATUS_DONE;
  return true;
}

/** The norms of each tensor in block order, and Σ|g| of all in tensor order. */
function sumNorms(memory: LinearMemory, table: number, active: readonly number[]): number {
  const { f64, i32, u32 } = memory;
  const largest = i32[(table + L.STEP_CLIP_NORM) >>> 2] === L.CLIP_MAX;
  let partial = u32[(table + L.STEP_PARTIALS) >>> 2];
  let total = 0;
  for (const tensor of active) {
    let sum = 0;
    let clamped = 0;
    let clip = 0;
    for (let left = u32[(tensor + L.TENSOR_BLOCK_COUNT) >>> 2]; left > 0; left--) {
      sum += f64[(partial + L.PARTIAL_SUM) >>> 3];
      clamped += f64[(partial + L.PARTIAL_CLAMPED) >>> 3];
      const next = f64[(partial + L.PARTIAL_CLIP) >>> 3];
      clip = largest ? Math.max(clip, next) : clip + next;
      partial += L.PARTIAL_SIZE;
    }
    f64[(tensor + L.TENSOR_NORM) >>> 3] = clamped;
    f64[(tensor + L.TENSOR_CLIP) >>> 3] = clip;
    total += sum;
  }
  return total;
}

/** Each tensor's r in place of the norm to clip by; returns Σ r·S. */
function clipNorms({ f64, i32 }: LinearMemory, table: number, active: readonly number[]): number {
  const kind = i32[(table + L.STEP_CLIP_NORM) >>> 2];
  const global = i32[(table + L.STEP_CLIP_GLOBAL) >>> 2] === 1;
  const limit = f64[(table + L.STEP_CLIP_LIMIT) >>> 3];
  const norms = active.map((tensor) => f64[(tensor + L.TENSOR_CLIP) >>> 3]);
  const all = norms.reduce((a, b) => (kind === L.CLIP_MAX ? Math.max(a, b) : a + b), 0);
  let total = 0;
  for (const [index, tensor] of active.entries()) {
    const own = global ? all : norms[index];
    const norm = kind === L.CLIP_L2 ? Math.sqrt(own) : own;
    const r = kind !== L.CLIP_NONE && norm > limit ? limit / norm : 1;
    f64[(tensor + L.TENSOR_CLIP) >>> 3] = r;
    total += r * f64[(tensor + L.TENSOR_NORM) >>> 3];
  }
  return total;
}

/**
 * What a tensor's update needs to know of the norms; S is its scope's, clipped. False: the step is
 * to be refused.
 */
function prepare(memory: LinearMemory, table: number, tensor: number, S: number): boolean {
  const { f32, f64, i32, u32 } = memory;
  const r = f64[(tensor + L.TENSOR_CLIP) >>> 3];
  if (i32[(table + L.STEP_RULE) >>> 2] !== L.RULE_ADAL) {
    f32[(tensor + L.TENSOR_CONSTANTS) >>> 2] = r;
    return S < f64[(u32[(tensor + L.TENSOR_GROUP) >>> 2] + L.GROUP_NORM_LIMIT) >>> 3];
  }
  const ratio = f64[(table + L.STEP_NORM_RATIO) >>> 3];
  if (ratio === 0) return prepareAdaL(memory, tensor, S, r, 1);
  const mean = f64[(tensor + L.TENSOR_NORM_MEAN) >>> 3];
  f64[(tensor + L.TENSOR_NEXT_NORM_MEAN) >>> 3] = scalars.nextNormMean(ratio, mean, S);
  return prepareAdaL(memory, tensor, S, r, scalars.spikeFactor(ratio, mean, S));
}

/** Writes the constants of the next update. False: it could overflow the weights. */
function prepareAdaL(
  memory: LinearMemory,
  tensor: number,
  norm: number,
  clip: number,
  guard: number,
): boolean {
  const { f32, f64, i32, u32 } = memory;
  const group = u32[(tensor + L.TENSOR_GROUP) >>> 2];
  const a = f64[(group + L.GROUP_STEP_SIZE) >>> 3];
  const beta1 = f64[(group + L.GROUP_BETA1) >>> 3];
  const beta2 = f64[(group + L.GROUP_BETA2) >>> 3];
  const eps = f64[(group + L.GROUP_EPS) >>> 3];
  const b1t = f64[(tensor + L.TENSOR_BETA1_POWER) >>> 3] * beta1;
  const b2t = f64[(tensor + L.TENSOR_BETA2_POWER) >>> 3] * beta2;
  const V = f64[(tensor + L.TENSOR_V) >>> 3];
  const e = i32[(tensor + L.TENSOR_EXPONENT) >>> 2];
  const S = guard * norm;
  const Vn = scalars.nextV(V, S, beta2);
  const en = scalars.nextExponent(Vn, e);
  const d = V === 0 ? 0 : e - en;
  const q = scalars.gradientExponent(norm / clip);
  f64[(tensor + L.TENSOR_NEXT_V) >>> 3] = Vn;
  i32[(tensor + L.TENSOR_NEXT_EXPONENT) >>> 2] = en;
  const constants = [
    pow2(-q),
    scalars.gradientFactor(clip * guard, S, q, en),
    scalars.momentDecay(beta1, d),
    1 - beta1,
    scalars.varianceDecay(beta2, d),
    1 - beta2,
    scalars.stepFactor(a, b1t, b2t),
    scalars.epsFactor(a, eps, en, b1t),
    1 - a * f64[(group + L.GROUP_WEIGHT_DECAY) >>> 3],
  ];
  f32.set(constants, (tensor + L.TENSOR_CONSTANTS) >>> 2);
  if (eps === 0) return true;
  return (
    scalars.largestMove(a, scalars.updateBound(beta1, beta2, b1t, b2t), eps, Vn, b2t) <
    scalars.OVERFLOW_LIMIT
  );
}

/** Advances the tensor's own counters to the step that `prepare` described. */
function accept(memory: LinearMemory, tensor: number): void {
  const { f64, i32, u32 } = memory;
  const group = u32[(tensor + L.TENSOR_GROUP) >>> 2];
  const t = i32[(tensor + L.TENSOR_STEP) >>> 2] + 1;
  i32[(tensor + L.TENSOR_STEP) >>> 2] = t;
  i32[(tensor + L.TENSOR_FLUSH) >>> 2] = t % L.FLUSH_INTERVAL === 0 ? 1 : 0;
  f64[(tensor + L.TENSOR_BETA1_POWER) >>> 3] *= f64[(group + L.GROUP_BETA1) >>> 3];
  f64[(tensor + L.TENSOR_BETA2_POWER) >>> 3] *= f64[(group + L.GROUP_BETA2) >>> 3];
  f64[(tensor + L.TENSOR_V) >>> 3] = f64[(tensor + L.TENSOR_NEXT_V) >>> 3];
  i32[(tensor + L.TENSOR_EXPONENT) >>> 2] = i32[(tensor + L.TENSOR_NEXT_EXPONENT) >>> 2];
  f64[(tensor + L.TENSOR_NORM_MEAN) >>> 3] = f64[(tensor + L.TENSOR_NEXT_NORM_MEAN) >>> 3];
}
