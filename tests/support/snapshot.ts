/** What an optimizer is at a moment, as text that is equal exactly when every bit is. */
import { createHash } from 'node:crypto';
import type { Optimizer } from '../../src/index';
import type { StateArray } from '../../src/optimizers/state-array';
import { bitsOf } from './backends';

export type Snapshot = Record<string, string>;

/** SHA-256 of an array's bits. */
export function hashOf(values: StateArray): string {
  return createHash('sha256').update(bitsOf(values)).digest('hex');
}

/** Every parameter and state bit, counter and hyperparameter; not the gradients. */
export function snapshot(optimizer: Optimizer): Snapshot {
  const { step, groups, params, state } = optimizer.stateDict();
  const lines: Snapshot = { step: String(step), groups: JSON.stringify(groups) };
  for (const [name, { shape, data }] of Object.entries(params)) {
    lines[`params ${name}`] = `[${shape}] ${hashOf(data)}`;
    const { arrays, V, ...counters } = state[name];
    lines[`counters ${name}`] = `${JSON.stringify(counters)} V=${V}`;
    for (const [array, values] of Object.entries(arrays))
      lines[`${array} ${name}`] = hashOf(values);
  }
  return lines;
}

/** The gradients alone. */
export function gradientSnapshot(optimizer: Optimizer): Snapshot {
  return Object.fromEntries(
    Object.keys(optimizer.grads).map((name) => [name, hashOf(optimizer.grads[name])]),
  );
}
