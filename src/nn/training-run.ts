/** What a run of `fit` keeps to go on from, in and out of a checkpoint store. */
import type { CheckpointStore } from '../checkpoint/stores/store';
import { CheckpointError } from '../errors';
import type { EarlyStoppingState } from './early-stopping';
import type { FitEpoch } from './fit';
import type { ModelState } from './model';
import { decodeTraining, encodeTraining } from './training-checkpoint';

export interface RunState {
  /** What must be the same for a run to go on: otherwise the batches would be others. */
  readonly identity: { readonly seed: number; readonly batchSize: number; readonly count: number | null };
  readonly model: ModelState;
  readonly optimizer: unknown;
  readonly schedule: unknown;
  readonly stopping: EarlyStoppingState | null;
  readonly epochs: readonly FitEpoch[];
  /** The epoch under way (1-based), and how many of its batches are done. */
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  readonly lossSum: number;
  readonly seen: number;
  readonly skipped: number;
  readonly best: { readonly epoch: number; readonly loss: number } | null;
  readonly bestState: { readonly model: ModelState; readonly optimizer: unknown } | null;
}

export async function saveRun(store: CheckpointStore, state: RunState): Promise<void> {
  await store.save(encodeTraining(state));
}

/**
 * The run that a store holds, or null.
 * @throws CheckpointError with the reason `'other-run'` when it was begun with another seed, batch size or number of samples
 */
export async function loadRun(store: CheckpointStore, identity: RunState['identity']): Promise<RunState | null> {
  const stored = await store.load();
  if (!stored) return null;
  const state = decodeTraining(stored.bytes) as RunState;
  for (const key of ['seed', 'batchSize', 'count'] as const) {
    if (state.identity[key] === identity[key]) continue;
    const message = `the checkpoint is of another run: ${key} ${state.identity[key]} expected, got ${identity[key]}`;
    throw new CheckpointError('other-run', message);
  }
  return state;
}
