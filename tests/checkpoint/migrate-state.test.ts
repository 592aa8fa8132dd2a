/** State entries of earlier versions, in today's form. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, decodeSafetensors } from '../../src/checkpoint';
import { migrateStateScalars } from '../../src/checkpoint/migrate-state';
import { createOptimizer, type OptimizerName } from '../../src/index';
import { simd, withRuntime } from '../support/backends';

const counters = { step: 3, beta1Power: 0.729, beta2Power: 0.997 };
const old = { ...counters, exponent: 0, V: 0.25, normMean: 0 };

/** Checkpoints that an earlier version wrote, and what the step after them made of the weights. */
const FILES: Record<string, { file: string; next: Record<string, number[]> }> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../data/old-checkpoints.json'), 'utf8'),
);

describe('migrateStateScalars', () => {
  it.each([
    ['adam', counters],
    ['sgd', counters],
    ['an optimizer of the future', counters],
    ['nadam', { ...counters, momentumProduct: 0.25 }],
    ['schedule-free-adamw', { ...counters, lrSquareSum: 0.25 }],
    ['adal', old],
  ])('takes the old entry of %s', (algorithm, expected) => {
    const migrated = migrateStateScalars(algorithm, old);
    expect(migrated).toEqual(expected);
    expect(migrateStateScalars(algorithm, migrated)).toEqual(expected);
  });

  it.each([
    ['adam', counters],
    ['nadam', { ...counters, momentumProduct: 0.5 }],
    ['adal', { ...counters, exponent: -3, V: 1, normMean: 2 }],
    ['an optimizer with an exponent of its own', { ...counters, exponent: 2 }],
  ])('returns the new entry of %s as it is', (algorithm, entry) => {
    expect(migrateStateScalars(algorithm, entry)).toBe(entry);
  });

  it.each([
    ['adal', ['V', 'beta1Power', 'beta2Power', 'exponent', 'normMean', 'step']],
    ['adam', ['beta1Power', 'beta2Power', 'step']],
    ['nadam', ['beta1Power', 'beta2Power', 'momentumProduct', 'step']],
    ['schedule-free-adamw', ['beta1Power', 'beta2Power', 'lrSquareSum', 'step']],
  ])('brings the entries of a file of %s to today’s names', (algorithm, names) => {
    const { metadata } = decodeSafetensors(Buffer.from(FILES[algorithm]!.file, 'base64'));
    const { stateDict, state } = JSON.parse(metadata.adal_checkpoint!);
    expect(stateDict.algorithm).toBe(algorithm);
    expect(Object.keys(state)).toEqual(['w', 'b']);
    for (const { arrays, ...scalars } of Object.values<Record<string, unknown>>(state)) {
      expect(Object.keys(arrays as object).length).toBeGreaterThan(1);
      expect(scalars).toHaveProperty('V');
      expect(Object.keys(migrateStateScalars(algorithm, scalars)).sort()).toEqual(names);
    }
  });

  it.each(Object.keys(FILES) as OptimizerName[])(
    'resumes an old run of %s, bit for bit',
    async (name) => {
      const { file, next } = FILES[name]!;
      const { stateDict, extras } = decodeCheckpoint(Buffer.from(file, 'base64'));
      expect(extras).toEqual({ epoch: 3 });
      await withRuntime(simd, async (runtime) => {
        const params = { w: { shape: [3] }, b: { shape: [2] } };
        const optimizer = await createOptimizer(name, params, { runtime, lr: 0.5 });
        optimizer.loadStateDict(stateDict);
        const { w, b } = optimizer.params;
        optimizer.step({ w: w.slice(), b: b.map((x, index) => x - 1 - index) });
        expect([...optimizer.params.w]).toEqual(next.w);
        expect([...optimizer.params.b]).toEqual(next.b);
      });
    },
  );
});
