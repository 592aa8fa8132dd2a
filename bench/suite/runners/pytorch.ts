/**
 * Times PyTorch's Adam as a native yardstick, where python3 has torch. It runs in a process of its
 * own, so its rounds are not interleaved with those of others.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Micro } from '../../schema/result';
import { createOwn, fill, HYPERPARAMETERS, type StepData } from '../micro/contenders';
import { compare } from '../micro/step';

const PYTHONS = ['python3', '/usr/bin/python3'];
const CHECK_STEPS = 20;
const PATTERN = 4096;

interface Answer {
  readonly version: string;
  readonly samples: number[];
  readonly theta: string;
}

function findPython(): string | null {
  return (
    PYTHONS.find(
      (python) => spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
    ) ?? null
  );
}

const hexOf = (array: Float32Array): string =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('hex');

/** One row a size; without torch it says so. */
export async function timeTorch(
  environment: string,
  sizes: readonly number[],
  rounds: number,
  peers: URL,
): Promise<Micro[]> {
  const python = findPython();
  const rows: Micro[] = [];
  for (const n of sizes) {
    const answer = python && ask(python, n, rounds, peers);
    const outcome = answer
      ? await outcomeOf(answer, n)
      : { ...MISSING, reason: 'python3 has no torch here' };
    rows.push({ ...COMMON, environment, n, workPerCall: n, bytesPerCall: 32 * n, ...outcome });
  }
  return rows;
}

const MISSING = {
  implementation: 'PyTorch',
  status: 'unsupported',
  samples: [],
  check: null,
} as const;
const COMMON = {
  benchmark: 'step-adam',
  native: true,
  threads: 1,
  shape: null,
  layout: '1',
  gradients: 'normal',
  variant: 'resident',
  unit: 'ns/call',
  stable: true,
} as const;

function ask(python: string, n: number, rounds: number, peers: URL): Answer | null {
  const theta = hexOf(fill(new Float32Array(PATTERN), 1, 0));
  const gradient = hexOf(fill(new Float32Array(PATTERN), 1e-3, 1));
  const input = JSON.stringify({
    n,
    tensors: 1,
    rounds,
    steps: CHECK_STEPS,
    theta,
    gradient,
    ...HYPERPARAMETERS,
  });
  const { status, stdout } = spawnSync(
    python,
    [fileURLToPath(new URL('../pytorch_adam.py', peers))],
    {
      input,
      encoding: 'utf8',
    },
  );
  return status === 0 ? JSON.parse(stdout) : null;
}

async function outcomeOf(
  { version, samples, theta }: Answer,
  n: number,
): Promise<Pick<Micro, 'implementation' | 'status' | 'reason' | 'samples' | 'check'>> {
  const data: StepData = { n, tensors: 1, gradients: 'normal' };
  const own = await createOwn('adam', data, { backend: 'simd' });
  for (let step = 0; step < CHECK_STEPS; step++) own.step();
  const expected = own.params().subarray(0, PATTERN);
  own.dispose();
  const bytes = Uint8Array.from(Buffer.from(theta, 'hex'));
  const check = compare(new Float32Array(bytes.buffer), expected, false);
  const implementation = `PyTorch ${version}`;
  if (check.passed) return { implementation, status: 'ok', reason: null, samples, check };
  const reason =
    `after ${CHECK_STEPS} steps it is not where ours is: relative error ` +
    `${check.maxRelativeError}`;
  return { implementation, status: 'failed', reason, samples: [], check };
}
