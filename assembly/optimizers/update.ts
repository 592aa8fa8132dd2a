/**
 * The update of a block of a tensor, as its optimizer's rule has it. Where the gradient is clamped
 * or the state compact, the block is staged: a STAGE at a time is brought into scratch as plain
 * f32, updated there, and encoded again, so that no rule knows of it.
 */
import {
  FORMAT_BF16,
  FORMAT_F32,
  RULE_ADABELIEF,
  RULE_ADABOUND,
  RULE_ADAGRAD,
  RULE_ADAL,
  RULE_ADAM,
  RULE_AMSGRAD,
  RULE_LION,
  RULE_NADAM,
  RULE_RADAM,
  RULE_RMSPROP,
  RULE_RMSPROP_CENTERED,
  RULE_RMSPROP_CENTERED_MOMENTUM,
  RULE_RMSPROP_MOMENTUM,
  RULE_SCHEDULE_FREE,
  RULE_SGD,
  RULE_SGD_MOMENTUM,
  STAGE,
  STEP_CLIP_VALUE,
  STEP_RULE,
  TENSOR_CONSTANTS,
  TENSOR_FORMAT,
  TENSOR_GRAD,
  TENSOR_LENGTH,
  TENSOR_PARAM,
  TENSOR_SCALES0,
  TENSOR_SCALES1,
  TENSOR_SEED,
  TENSOR_STATE0,
  TENSOR_STATE1,
  TENSOR_STATE2,
  TENSOR_STEP,
} from '../layout';
import { clampTo } from '../math/map';
import { decodeBf16, encodeBf16, encodeBf16Stochastic } from '../state/bf16';
import { decodeBytes, encodeBytes, FirstMoment, SecondMoment } from '../state/eight-bit';
import { roundingKey } from '../state/random';
import { AdaBelief } from './adabelief';
import { AdaBound } from './adabound';
import { Adagrad, AdagradZeroEps } from './adagrad';
import { AdaL } from './adal';
import { Adam, AdamZeroEps } from './adam';
import { AMSGrad } from './amsgrad';
import { drive } from './driver';
import { Lion } from './lion';
import { NAdam } from './nadam';
import { RAdam } from './radam';
import {
  RMSProp,
  RMSPropCentered,
  RMSPropCenteredMomentum,
  RMSPropMomentum,
  RMSPropZeroEps,
} from './rmsprop';
import { ScheduleFree } from './schedule-free';
import { SGD, SGDMomentum } from './sgd';

/**
 * Elements [first, first + length) of the tensor; `scratch` is SCRATCH_SIZE bytes of this thread's
 * own.
 */
export function updateBlock(
  table: usize,
  tensor: usize,
  first: usize,
  length: usize,
  scratch: usize,
): void {
  const rule = load<i32>(table, STEP_RULE);
  const p: usize = load<u32>(tensor, TENSOR_PARAM) + (first << 2);
  const g: usize = load<u32>(tensor, TENSOR_GRAD) + (first << 2);
  const s2: usize = load<u32>(tensor, TENSOR_STATE2) + (first << 2);
  if (load<i32>(tensor, TENSOR_FORMAT) === FORMAT_F32 && load<f32>(table, STEP_CLIP_VALUE) === 0) {
    const s0: usize = load<u32>(tensor, TENSOR_STATE0) + (first << 2);
    const s1: usize = load<u32>(tensor, TENSOR_STATE1) + (first << 2);
    apply(rule, tensor, p, g, s0, s1, s2, length);
    return;
  }
  for (let done: usize = 0; done < length; done += STAGE) {
    const offset = done << 2;
    updateStaged(
      table,
      tensor,
      p + offset,
      g + offset,
      s2 + offset,
      first + done,
      min(<usize>STAGE, length - done),
      scratch,
    );
  }
}

// biome-ignore format: addresses on one line
function updateStaged(
  table: usize, tensor: usize, p: usize, g: usize, s2: usize, first: usize, length: usize, scratch: usize,
): void {
  const rule = load<i32>(table, STEP_RULE);
  const limit = load<f32>(table, STEP_CLIP_VALUE);
  if (limit > 0) {
    clampTo(scratch, g, length, limit);
    g = scratch;
  }
  const s0: usize = load<u32>(tensor, TENSOR_STATE0);
  const s1: usize = load<u32>(tensor, TENSOR_STATE1);
  const format = load<i32>(tensor, TENSOR_FORMAT);
  if (format === FORMAT_F32) {
    apply(rule, tensor, p, g, s0 + (first << 2), s1 + (first << 2), s2, length);
    return;
  }
  const m = scratch + (STAGE << 2);
  const v = scratch + (STAGE << 3);
  const scales0: usize = load<u32>(tensor, TENSOR_SCALES0);
  const scales1: usize = load<u32>(tensor, TENSOR_SCALES1);
  if (format === FORMAT_BF16) {
    decodeBf16(m, s0 + (first << 1), length);
    decodeBf16(v, s1 + (first << 1), length);
  } else {
    decodeBytes<FirstMoment>(m, s0, scales0, first, length);
    decodeBytes<SecondMoment>(v, s1, scales1, first, length);
  }
  apply(rule, tensor, p, g, m, v, s2, length);
  // What a rule leaves in the padding must not count in the last block's scale.
  for (let i: usize = load<u32>(tensor, TENSOR_LENGTH); i < first + length; i++) {
    store<f32>(m + ((i - first) << 2), 0);
    store<f32>(v + ((i - first) << 2), 0);
  }
  const key = roundingKey(load<u32>(tensor, TENSOR_SEED), load<u32>(tensor, TENSOR_STEP));
  if (format === FORMAT_BF16) {
    encodeBf16(s0 + (first << 1), m, length);
    encodeBf16Stochastic(s1 + (first << 1), v, length, key, <u32>first);
  } else {
    encodeBytes<FirstMoment>(s0, scales0, m, first, length, key);
    encodeBytes<SecondMoment>(s1, scales1, v, first, length, key);
  }
}

/** Applies the rule to `length` elements at these addresses; see `drive`. */
// biome-ignore format: addresses on one line
function apply(
  rule: i32, tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize,
): void {
  const constants = tensor + TENSOR_CONSTANTS;
  switch (rule) {
    case RULE_ADAL:
      return drive<AdaL>(tensor, p, g, s0, s1, s2, length);
    case RULE_SGD:
      return drive<SGD>(tensor, p, g, s0, s1, s2, length);
    case RULE_SGD_MOMENTUM:
      return drive<SGDMomentum>(tensor, p, g, s0, s1, s2, length);
    case RULE_ADAGRAD:
      if (load<f32>(constants, 16) === 0) return drive<AdagradZeroEps>(tensor, p, g, s0, s1, s2, length);
      return drive<Adagrad>(tensor, p, g, s0, s1, s2, length);
    case RULE_RMSPROP:
      if (load<f32>(constants, 24) === 0) return drive<RMSPropZeroEps>(tensor, p, g, s0, s1, s2, length);
      return drive<RMSProp>(tensor, p, g, s0, s1, s2, length);
    case RULE_RMSPROP_MOMENTUM:
      return drive<RMSPropMomentum>(tensor, p, g, s0, s1, s2, length);
    case RULE_RMSPROP_CENTERED:
      return drive<RMSPropCentered>(tensor, p, g, s0, s1, s2, length);
    case RULE_RMSPROP_CENTERED_MOMENTUM:
      return drive<RMSPropCenteredMomentum>(tensor, p, g, s0, s1, s2, length);
    case RULE_ADAM:
      if (load<f32>(constants, 32) === 0) return drive<AdamZeroEps>(tensor, p, g, s0, s1, s2, length);
      return drive<Adam>(tensor, p, g, s0, s1, s2, length);
    case RULE_AMSGRAD:
      return drive<AMSGrad>(tensor, p, g, s0, s1, s2, length);
    case RULE_NADAM:
      return drive<NAdam>(tensor, p, g, s0, s1, s2, length);
    case RULE_RADAM:
      return drive<RAdam>(tensor, p, g, s0, s1, s2, length);
    case RULE_ADABELIEF:
      return drive<AdaBelief>(tensor, p, g, s0, s1, s2, length);
    case RULE_ADABOUND:
      return drive<AdaBound>(tensor, p, g, s0, s1, s2, length);
    case RULE_LION:
      return drive<Lion>(tensor, p, g, s0, s1, s2, length);
    case RULE_SCHEDULE_FREE:
      return drive<ScheduleFree>(tensor, p, g, s0, s1, s2, length);
  }
}
