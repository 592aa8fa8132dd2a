/**
 * The update of a block of a tensor by the kernel of its group. If the gradient is clamped or the
 * state is compact, the block is processed in stages of STAGE elements: each is brought into
 * scratch as plain f32, updated there, and encoded again, so kernels never see compact state.
 */
import { applyKernel, decodeState, encodeState } from '../../build/assembly/kernel-dispatch';
import { GroupRecord, StepRecord, TensorRecord } from '../../build/assembly/optim-records';
import { FORMAT_F32, STAGE } from '../../src/memory-layout/constants';
import { clampTo } from '../math/map';
import { roundingKey } from '../state/random';

/**
 * Elements [first, first + length) of the tensor; `scratch` is SCRATCH_SIZE bytes of this thread's
 * own.
 */
// biome-ignore format: addresses on one line
export function updateBlock(
  step: StepRecord, tensor: TensorRecord, first: usize, length: usize, scratch: usize,
): void {
  if (tensor.format !== FORMAT_F32 || step.clipValue !== 0) {
    for (let done: usize = 0; done < length; done += STAGE) {
      const count = min(<usize>STAGE, length - done);
      updateStaged(tensor, first + done, count, step.clipValue, scratch);
    }
    return;
  }
  const bytes = first << 2;
  const g = tensor.grad + bytes;
  update(tensor, first, g, tensor.state0 + bytes, tensor.state1 + bytes, length);
}

// biome-ignore format: addresses on one line
function updateStaged(
  tensor: TensorRecord, first: usize, length: usize, limit: f32, scratch: usize,
): void {
  let g = tensor.grad + (first << 2);
  if (limit > 0) {
    clampTo(scratch, g, length, limit);
    g = scratch;
  }
  const codes0 = tensor.state0;
  const codes1 = tensor.state1;
  const format = tensor.format;
  if (format === FORMAT_F32) {
    update(tensor, first, g, codes0 + (first << 2), codes1 + (first << 2), length);
    return;
  }
  const m = scratch + (STAGE << 2);
  const v = scratch + (STAGE << 3);
  decodeState(format, false, m, codes0, tensor.scales0, first, length);
  decodeState(format, true, v, codes1, tensor.scales1, first, length);
  update(tensor, first, g, m, v, length);
  // What a kernel leaves in the padding must not count in the last block's scale.
  for (let i: usize = tensor.length; i < first + length; i++) {
    store<f32>(m + ((i - first) << 2), 0);
    store<f32>(v + ((i - first) << 2), 0);
  }
  const key = roundingKey(tensor.seed, tensor.step);
  encodeState(format, false, codes0, tensor.scales0, m, first, length, key);
  encodeState(format, true, codes1, tensor.scales1, v, first, length, key);
}

/** Applies the kernel to `length` elements from `first` on, with gradient and moments given. */
// biome-ignore format: addresses on one line
function update(
  tensor: TensorRecord, first: usize, g: usize, s0: usize, s1: usize, length: usize,
): void {
  const kernel = changetype<GroupRecord>(tensor.group).kernel;
  const bytes = first << 2;
  applyKernel(kernel, tensor, tensor.param + bytes, g, s0, s1, tensor.state2 + bytes, length);
}
