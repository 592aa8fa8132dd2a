/**
 * The C program native/twin.c, compiled twice where a compiler is present: for 128-bit vectors
 * without fused multiply-add, which is what WebAssembly has, and for the widest that this CPU has.
 */
import { existsSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { benchPath } from '../toolkit/bench-folder';
import { type CProgram, createCFolder } from '../toolkit/c-program';
import type { Layer, Workload } from './workloads';

const COMMON = ['-std=gnu11', '-O3', '-fno-math-errno', '-fno-trapping-math'];

/** Engines use AVX's three-operand instructions for 128-bit vectors where the CPU has them. */
function narrowFlags(): string[] {
  if (arch() !== 'x64') return ['-DLANES=4', '-ffp-contract=off'];
  const cpu = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const avx = /^flags.*\bavx\b/m.test(cpu) ? ['-mavx'] : [];
  const width = ['-mprefer-vector-width=128', '-DLANES=4'];
  return ['-march=x86-64-v2', ...avx, ...width, '-ffp-contract=off'];
}

function wideFlags(): string[] {
  return ['-march=native', ...(arch() === 'x64' ? ['-mprefer-vector-width=512'] : [])];
}

export interface CTwins {
  readonly narrow: CProgram;
  readonly wide: CProgram;
  /** Deletes the programs. */
  remove(): void;
}

/** Compiles the program in both widths. */
export function compileTwins(): CTwins {
  const { compile, remove } = createCFolder();
  const source = benchPath('train/native/twin.c');
  return {
    narrow: compile(source, 'narrow', [...COMMON, ...narrowFlags()]),
    wide: compile(source, 'wide', [...COMMON, ...wideFlags()]),
    remove,
  };
}

function layerText(layer: Layer): string {
  switch (layer.kind) {
    case 'dense':
      return `dense:${layer.units}`;
    case 'conv':
      return `conv:${layer.filters}:${layer.size}`;
    case 'maxPool':
      return `maxPool:${layer.size}`;
    case 'embedding':
      return `embedding:${layer.rows}:${layer.dim}`;
    default:
      return layer.kind;
  }
}

/** Returns the arguments that describe a workload to the program. */
export function argumentsOf(workload: Workload): string[] {
  if (workload.kind === 'gemm')
    return ['gemm', ...[workload.m, workload.n, workload.k].map(String), workload.form];
  const { kind, batch, samples, epochs = 0, classes, optimizer, input, layers } = workload;
  const [beta1, beta2, eps] =
    optimizer.kind === 'adam' ? [...optimizer.betas, optimizer.eps] : [0, 0, 0];
  const rule = [optimizer.kind, optimizer.lr, beta1, beta2, eps];
  const numbers = [batch, samples, epochs, classes, ...rule].map(String);
  return [kind, ...numbers, input.join('x'), ...layers.map(layerText)];
}
