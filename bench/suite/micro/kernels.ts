/**
 * Times vector and matrix kernels as networks use them, and the memory yardstick, on one thread.
 */
import { createRuntime } from 'adal-wasm';
import type { Micro } from '../../schema/result';
import { kernelsOf } from '../../toolkit/library-kernels';
import { type Body, type TimeOnce, timeRounds } from '../../toolkit/timing';
import type { Entry } from '../result';
import { fill } from './contenders';

export interface KernelsContext {
  readonly environment: string;
  readonly timeOnce: TimeOnce;
  readonly report: (entry: Entry) => void;
}

/** Elements of scratch memory: more than the products of any shape need, 272.2 KiB. */
const SCRATCH = 2 ** 17;

/** m, n, k: square, and the products of an MLP's layers. */
const SHAPES = [
  [256, 256, 256],
  [128, 128, 784],
  [32, 64, 64],
  [128, 10, 128],
] as const;
const TRIAD_SIZES = [10_000, 1_000_000, 10_000_000];
const FORMS = { 'gemm-nn': 'gemmNN', 'gemm-nt': 'gemmNT', 'gemm-tn': 'gemmTN' } as const;

type Common = Pick<Micro, 'benchmark' | 'n' | 'shape' | 'layout' | 'workPerCall' | 'bytesPerCall'>;

/** @param large whether the yardstick may use arrays that no cache holds */
export async function benchKernels(
  rounds: number,
  large: boolean,
  { environment, timeOnce, report }: KernelsContext,
): Promise<void> {
  const runtime = await createRuntime({ backend: 'simd' });
  const { kernels, allocate, floats } = await kernelsOf(runtime);
  const longest = large ? 10_000_000 : 1_000_000;
  const [a, b, c] = [0, 1, 2].map(() => allocate(longest));
  const scratch = allocate(SCRATCH);
  for (const [phase, address] of [a, b].entries())
    fill(floats().subarray(address / 4, address / 4 + longest), 1, phase);
  const bodies = new Map<string, Body>();
  const rows = new Map<string, Common>();
  for (const n of TRIAD_SIZES.filter((size) => size <= longest)) {
    const name = `triad ${n}`;
    // One row plus a bias of its length, y = y + x: two reads and a write.
    rows.set(name, {
      benchmark: 'triad',
      n,
      shape: null,
      layout: '1',
      workPerCall: n,
      bytesPerCall: 12 * n,
    });
    bodies.set(name, () => {
      kernels.biasAdd(c, a, 1, n);
      return 0;
    });
  }
  for (const [m, n, k] of SHAPES) {
    for (const [benchmark, form] of Object.entries(FORMS)) {
      const name = `${benchmark} ${m}×${n}×${k}`;
      const bytesPerCall = 4 * (m * k + k * n + m * n);
      rows.set(name, {
        benchmark,
        n: m * n,
        shape: [m, n, k],
        layout: 'matrix',
        workPerCall: 2 * m * n * k,
        bytesPerCall,
      });
      bodies.set(name, () => {
        kernels[form](c, a, b, m, n, k, scratch);
        return 0;
      });
    }
  }
  const { samples, stable } = timeRounds(timeOnce, bodies, rounds);
  for (const [name, common] of rows)
    report({ type: 'micro', value: rowOf(common, samples.get(name)!, stable, environment) });
  runtime.dispose();
}

function rowOf(common: Common, samples: number[], stable: boolean, environment: string): Micro {
  return {
    environment,
    implementation: 'wasm simd',
    native: false,
    threads: 1,
    gradients: 'none',
    variant: 'resident',
    status: 'ok',
    reason: null,
    unit: 'ns/call',
    ...common,
    samples,
    check: null,
    stable,
  };
}
