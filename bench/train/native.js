/**
 * The C program of native/twin.c, compiled where a compiler is: once for 128-bit vectors without
 * fused multiply-add, which is what WebAssembly has, and once for whatever this CPU has.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = new URL('native/twin.c', import.meta.url).pathname;
const COMPILERS = [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean);
const COMMON = ['-std=gnu11', '-O3', '-fno-math-errno', '-fno-trapping-math'];

/** Engines use the three-operand instructions of AVX for 128-bit vectors where the CPU has them. */
function narrowFlags() {
  if (arch() !== 'x64') return ['-DLANES=4', '-ffp-contract=off'];
  const cpu = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const avx = /^flags.*\bavx\b/m.test(cpu) ? ['-mavx'] : [];
  return [
    '-march=x86-64-v2',
    ...avx,
    '-mprefer-vector-width=128',
    '-DLANES=4',
    '-ffp-contract=off',
  ];
}

const wideFlags = () => [
  '-march=native',
  ...(arch() === 'x64' ? ['-mprefer-vector-width=512'] : []),
];

/**
 * @returns {narrow, wide}: of each {program, flags}, or {reason} where there is no compiler;
 * `remove` deletes the programs
 */
export function compileTwins() {
  const folder = mkdtempSync(join(tmpdir(), 'adal-twin-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const compile = (name, flags) => {
    let reason = 'there is no C compiler here';
    for (const compiler of COMPILERS) {
      const program = join(folder, name);
      try {
        execFileSync(compiler, [...COMMON, ...flags, SOURCE, '-o', program, '-lm'], {
          stdio: 'pipe',
        });
        return { program, flags: [...COMMON, ...flags].join(' ') };
      } catch (error) {
        if (error.code !== 'ENOENT')
          reason = `${compiler} cannot compile the C program: ${error.message.split('\n')[1] ?? error.message}`;
      }
    }
    return { reason };
  };
  return { narrow: compile('narrow', narrowFlags()), wide: compile('wide', wideFlags()), remove };
}

const layerText = ({ kind, units, filters, size, rows, dim }) =>
  ({
    dense: `dense:${units}`,
    conv: `conv:${filters}:${size}`,
    maxPool: `maxPool:${size}`,
    embedding: `embedding:${rows}:${dim}`,
  })[kind] ?? kind;

/** The arguments that describe a workload to the program. */
export function argumentsOf({
  kind,
  m,
  n,
  k,
  batch,
  samples,
  epochs = 0,
  classes,
  optimizer,
  input,
  layers,
}) {
  if (kind === 'peak') return ['peak'];
  if (kind === 'gemm') return ['gemm', m, n, k].map(String);
  const { kind: rule, lr, betas: [beta1, beta2] = [0, 0], eps = 0 } = optimizer;
  const numbers = [batch, samples, epochs, classes, rule, lr, beta1, beta2, eps].map(String);
  return [kind, ...numbers, input.join('x'), ...layers.map(layerText)];
}
