/** Vector and matrix kernels as networks use them, and the memory yardstick, on one thread. */
import { createRuntime } from 'adal-wasm';
import type { Micro } from '../../schema/result';
import { type Body, type TimeOnce, timeRounds } from '../../toolkit/timing';
import type { Entry } from '../result';
import { fill } from './contenders';

export interface KernelsContext {
  readonly environment: string;
  readonly timeOnce: TimeOnce;
  readonly report: (entry: Entry) => void;
}

/**
 * The kernels under the library's networks. They are no public API, so its types leave them out:
 * this is what the benchmark calls, and the only place that reaches for them.
 */
interface KernelRuntime {
  /** Loads the kernels of networks. */
  nn(): Promise<Kernels>;
  readonly arena: {
    /** Returns the address of so many bytes, aligned to 64. */
    allocate(bytes: number): number;
  };
  readonly memory: WebAssembly.Memory;
}

/** C = A·B for C of m×n, with A or B transposed; all addresses in bytes. */
type Product = (
  c: number,
  a: number,
  b: number,
  m: number,
  n: number,
  k: number,
  scratch: number,
) => void;

interface Kernels {
  /** y = y + a·x over n elements. */
  axpy(y: number, x: number, n: number, a: number): void;
  absSum(x: number, n: number): number;
  readonly gemmNN: Product;
  readonly gemmNT: Product;
  readonly gemmTN: Product;
}

/** More than the products of any shape need, 272.2 KiB. */
const SCRATCH_BYTES = 2 ** 19;

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
  const owner = await createRuntime({ backend: 'simd' });
  const runtime = owner as unknown as KernelRuntime;
  const kernels = await runtime.nn();
  const longest = large ? 10_000_000 : 1_000_000;
  const bytes = 4 * longest;
  const [a, b, c] = [0, 1, 2].map(() => runtime.arena.allocate(bytes));
  const scratch = runtime.arena.allocate(SCRATCH_BYTES);
  for (const [phase, address] of [a, b].entries())
    fill(new Float32Array(runtime.memory.buffer, address, longest), 1, phase);
  const bodies = new Map<string, Body>();
  const rows = new Map<string, Common>();
  for (const n of TRIAD_SIZES.filter((size) => size <= longest)) {
    const name = `triad ${n}`;
    // y = y + a·x: two reads and a write.
    rows.set(name, {
      benchmark: 'triad',
      n,
      shape: null,
      layout: '1',
      workPerCall: n,
      bytesPerCall: 12 * n,
    });
    bodies.set(name, () => {
      kernels.axpy(c, a, n, 1e-6);
      return 0;
    });
    const sum = `abs-sum ${n}`;
    rows.set(sum, {
      benchmark: 'abs-sum',
      n,
      shape: null,
      layout: '1',
      workPerCall: n,
      bytesPerCall: 4 * n,
    });
    bodies.set(sum, () => kernels.absSum(a, n));
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
  owner.dispose();
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
