/** Times a step of AdaL on 1, 2, … threads, up to the number of CPUs, in interleaved rounds. */
import type { ThreadScaling } from '../../schema/result';
import { type Body, type TimeOnce, timeRounds } from '../../toolkit/timing';
import type { Entry } from '../result';
import { createOwn } from './contenders';

const MAX_THREADS = 8;

export async function measureThreads(
  n: number,
  rounds: number,
  cores: number,
  {
    environment,
    timeOnce,
    report,
  }: { environment: string; timeOnce: TimeOnce; report: (entry: Entry) => void },
): Promise<void> {
  const counts = Array.from({ length: Math.min(cores, MAX_THREADS) }, (_, index) => index + 1);
  const bodies = new Map<string, Body>();
  const reasons = new Map<number, string>();
  const disposals: (() => void)[] = [];
  for (const threads of counts) {
    try {
      const options =
        threads === 1
          ? { threads }
          : { backend: 'threads' as const, threads, parallelThreshold: 0 };
      const stepper = await createOwn('adal', { n, tensors: 1, gradients: 'normal' }, options);
      bodies.set(String(threads), stepper.step);
      disposals.push(stepper.dispose);
    } catch (error) {
      reasons.set(threads, (error as Error).message);
    }
  }
  const { samples, stable } = timeRounds(timeOnce, bodies, rounds);
  for (const threads of counts) {
    const reason = reasons.get(threads) ?? null;
    const value: ThreadScaling = {
      environment,
      optimizer: 'adal',
      n,
      threads,
      status: reason === null ? 'ok' : 'unsupported',
      reason,
      samples: samples.get(String(threads)) ?? [],
      stable,
    };
    report({ type: 'threadScaling', value });
  }
  for (const dispose of disposals) dispose();
}
