/**
 * The schedules under which every optimizer is compared. 1/√t, which is part of AdaL, is available
 * to all.
 */

import type { LearningRate } from 'adal-wasm';
import { constant, cosine, inverseSqrt } from 'adal-wasm/schedules';
import type { ScheduleId } from './types';

export const SCHEDULES: readonly { readonly id: ScheduleId; readonly label: string }[] = [
  { id: 'constant', label: 'constant' },
  { id: 'cosine', label: 'cosine to 0' },
  { id: 'inverse-sqrt', label: '1/√t' },
];

/** Learning rate by step (from 1) for a run of `totalSteps`. */
export function createSchedule(id: ScheduleId, lr: number, totalSteps: number): LearningRate {
  if (id === 'cosine') return cosine({ lr, totalSteps });
  return id === 'inverse-sqrt' ? inverseSqrt({ lr }) : constant(lr);
}
