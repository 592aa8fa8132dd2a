/**
 * Times training steps (forward, backward and update), and whole fits of models that are trained at
 * the edge.
 */
import type { Runtime } from 'adal-wasm';
import type { Micro, Speed } from '../../schema/result';
import { type TimeOnce, timeRounds } from '../../toolkit/timing';
import { optimizerOf, workloadOf } from '../registry';
import { compact } from '../result';
import { createConfigured, createFromLibrary } from '../study/cell';
import { createTransform } from '../study/transform';
import type { PreparedWorkload, Tier } from '../types';

const WARM_UP_STEPS = 20;

export async function measureSpeed(
  prepared: PreparedWorkload,
  ids: { readonly environment: string; readonly workload: string; readonly optimizer: string },
  rounds: number,
  runtime: Runtime,
  sampleMs: number,
): Promise<Speed> {
  const config = optimizerOf(ids.optimizer);
  const problem = await prepared.create(runtime, 0);
  const optimizer = await createConfigured(config, problem, runtime, config.lr / 100);
  const transform = config.transform ? createTransform(problem, optimizer, config.transform) : null;
  let step = 0;
  const run = (count: number): number => {
    const begin = performance.now();
    for (let i = 0; i < count; i++, step++) {
      problem.computeGradients(optimizer, step);
      transform?.(step);
      optimizer.step();
    }
    return performance.now() - begin;
  };
  // Doubled up to half a sample: by then code is compiled, and the clock tells steps apart.
  let [warmSteps, warmMs] = [WARM_UP_STEPS, run(WARM_UP_STEPS)];
  while (warmMs < sampleMs / 2) warmMs = run((warmSteps *= 2));
  const stepsPerSample = Math.max(1, Math.ceil((warmSteps * sampleMs) / warmMs));
  const secondsPerStep = Array.from(
    { length: rounds },
    () => compact(run(stepsPerSample) / stepsPerSample / 1000, 5)!,
  );
  optimizer.dispose();
  problem.dispose();
  const sorted = [...secondsPerStep].sort((a, b) => a - b);
  const stable = sorted[sorted.length >> 1] / sorted[0] <= 1.05;
  return { ...ids, status: 'ok', reason: null, secondsPerStep, stepsPerSample, stable };
}

/** A whole fit, model and optimizer included, as its user waits for it. */
export async function measureFit(
  prepared: PreparedWorkload,
  {
    environment,
    workload: id,
    tier,
  }: { readonly environment: string; readonly workload: string; readonly tier: Tier },
  rounds: number,
  runtime: Runtime,
  timeOnce: TimeOnce,
): Promise<Micro> {
  const { tiers, parameters } = workloadOf(id);
  const { epochs, optimizers } = tiers[tier]!;
  const config = optimizerOf(optimizers![0]);
  const problem = await prepared.create(runtime, 0);
  const optimizer = await createFromLibrary(config, problem, runtime, config.lr);
  const fresh = optimizer.stateDict();
  const steps = epochs * problem.stepsPerEpoch;
  const fit = () => {
    optimizer.loadStateDict(fresh);
    let loss = 0;
    for (let step = 0; step < steps; step++) {
      loss = problem.computeGradients(optimizer, step);
      optimizer.step();
    }
    return loss;
  };
  const { samples, stable } = timeRounds(timeOnce, new Map([['fit', fit]]), rounds);
  optimizer.dispose();
  problem.dispose();
  return {
    environment,
    benchmark: `fit-${id}`,
    implementation: 'wasm simd',
    native: false,
    threads: 1,
    n: parameters,
    shape: null,
    layout: '1',
    gradients: 'none',
    variant: 'resident',
    status: 'ok',
    reason: null,
    unit: 'ns/call',
    workPerCall: parameters * steps,
    bytesPerCall: null,
    samples: samples.get('fit')!,
    check: null,
    stable,
  };
}
