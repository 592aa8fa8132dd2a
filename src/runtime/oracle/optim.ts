/**
 * The optim module in plain TypeScript: the reference the kernels must match bit for bit, and the fallback where there is
 * no WASM SIMD. Math.fround after every operation makes f64 arithmetic round as f32 does (double rounding of + - × ÷ √ from
 * f64 to f32 is harmless), so the only thing to check by eye is the order of operations.
 */
import * as scalars from '../../abi/adal-scalars';
import * as L from '../../abi/layout';
import { pow2 } from '../../math/exponent';
import type { OptimKernels } from '../kernels';
import type { LinearMemory } from '../memory';
import { ORACLE_RULES } from './rules';

const f = Math.fround;

/** The kernels over one memory. */
export function createOracleOptim(memory: LinearMemory): OptimKernels {
  function stepTasks(op: number, table: number, from: number, to: number): void {
    const { u32, f64 } = memory;
    const tasks = u32[(table + L.STEP_TASKS) >>> 2] >>> 2;
    const blocks = u32[(table + L.STEP_BLOCKS) >>> 2];
    const partials = u32[(table + L.STEP_PARTIALS) >>> 2] >>> 3;
    for (let i = u32[tasks + from]; i < u32[tasks + to]; i++) {
      const block = blocks + i * L.BLOCK_SIZE;
      const tensor = u32[(block + L.BLOCK_TENSOR) >>> 2];
      const first = u32[(block + L.BLOCK_FIRST) >>> 2];
      const length = u32[(block + L.BLOCK_LENGTH) >>> 2];
      if (op === L.OP_NORM)
        f64[partials + i] = absSumBlock(memory.f32, (u32[(tensor + L.TENSOR_GRAD) >>> 2] >>> 2) + first, length);
      else update(memory, u32[(table + L.STEP_RULE) >>> 2], tensor, first, length);
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
    halve: (x) => f(x * 0.5),
  };
}

/** Σ|x|: element i goes to accumulator i mod 16; then the fixed fold of assembly/math/reduce.ts. */
export function absSumBlock(x: Float32Array, first: number, length: number): number {
  const a = new Float64Array(16);
  for (let i = 0; i < length; i++) a[i & 15] += Math.abs(x[first + i]);
  return foldSixteen(a);
}

/** The sixteen accumulators as eight pairs, added pairwise; then lane 0 + lane 1. */
export function foldSixteen(a: Float64Array): number {
  const lane = (j: number) => a[j] + a[j + 2] + (a[j + 4] + a[j + 6]) + (a[j + 8] + a[j + 10] + (a[j + 12] + a[j + 14]));
  return lane(0) + lane(1);
}

/** One block's update under the table's rule, element by element; then the flush. */
function update(memory: LinearMemory, rule: number, tensor: number, first: number, length: number): void {
  const { f32, u32, i32 } = memory;
  const start = (field: number) => (u32[(tensor + field) >>> 2] >>> 2) + first;
  const x = { p: start(L.TENSOR_PARAM), g: start(L.TENSOR_GRAD), s0: 0, s1: 0, s2: 0 };
  x.s0 = start(L.TENSOR_STATE0);
  x.s1 = start(L.TENSOR_STATE1);
  x.s2 = start(L.TENSOR_STATE2);
  const constants = (tensor + L.TENSOR_CONSTANTS) >>> 2;
  const k = f32.slice(constants, constants + L.CONSTANT_COUNT);
  const { update, flush } = ORACLE_RULES[rule];
  const flushing = i32[(tensor + L.TENSOR_FLUSH) >>> 2] === 1;
  for (let i = 0; i < length; i++) {
    update(f32, x, k);
    if (flushing) flush(f32, x.s0, x.s1);
    x.p++;
    x.g++;
    x.s0++;
    x.s1++;
    x.s2++;
  }
}

/** Norms, the finite check, all scalars; then acceptance of the whole step, or of none of it. */
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
  const total = sumNorms(memory, u32[(table + L.STEP_PARTIALS) >>> 2] >>> 3, active);
  f64[(table + L.STEP_GRAD_NORM) >>> 3] = total;
  if (!Number.isFinite(total)) {
    i32[status] = L.STATUS_NON_FINITE;
    return false;
  }
  const adal = i32[(table + L.STEP_RULE) >>> 2] === L.RULE_ADAL;
  const limit = f64[(table + L.STEP_NORM_LIMIT) >>> 3];
  const global = i32[(table + L.STEP_GLOBAL_NORM) >>> 2] === 1;
  for (const tensor of active) {
    const S = global ? total : f64[(tensor + L.TENSOR_NORM) >>> 3];
    if (!(adal ? prepareAdaL(memory, tensor, S) : S < limit)) {
      i32[status] = L.STATUS_OVERFLOW;
      u32[(table + L.STEP_OFFENDER) >>> 2] = tensor;
      return false;
    }
  }
  for (const tensor of active) accept(memory, tensor);
  i32[status] = L.STATUS_DONE;
  return true;
}

/** Σ|g| of each tensor in block order, and of all in tensor order. */
function sumNorms(memory: LinearMemory, partial: number, active: readonly number[]): number {
  const { f64, u32 } = memory;
  let total = 0;
  for (const tensor of active) {
    let sum = 0;
    for (let left = u32[(tensor + L.TENSOR_BLOCK_COUNT) >>> 2]; left > 0; left--) sum += f64[partial++];
    f64[(tensor + L.TENSOR_NORM) >>> 3] = sum;
    total += sum;
  }
  return total;
}

/** Writes the constants of the next update. False: it could overflow the weights. */
function prepareAdaL(memory: LinearMemory, tensor: number, S: number): boolean {
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
  const Vn = scalars.nextV(V, S, beta2);
  const en = scalars.nextExponent(Vn, e);
  const d = V === 0 ? 0 : e - en;
  const q = scalars.gradientExponent(S);
  f64[(tensor + L.TENSOR_NEXT_V) >>> 3] = Vn;
  i32[(tensor + L.TENSOR_NEXT_EXPONENT) >>> 2] = en;
  const constants = [
    pow2(-q),
    scalars.gradientFactor(S, q, en),
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
  return scalars.largestMove(a, scalars.updateBound(beta1, beta2, b1t, b2t), eps, Vn, b2t) < scalars.OVERFLOW_LIMIT;
}

/** Advances the tensor's own counters to the step that prepareAdaL described. */
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
}
