/**
 * Benchmarks a step of an optimizer: checks every contender against the reference, then times all
 * of them in interleaved rounds.
 */
import type { Micro } from '../../schema/result';
import { type Body, type TimeOnce, timeRounds } from '../../toolkit/timing';
import { compact, type Entry } from '../result';
import {
  type Contender,
  createContenders,
  createOwn,
  HYPERPARAMETERS,
  type PeerModule,
  type Rule,
  type StepData,
  type Stepper,
} from './contenders';

export interface StepJob {
  readonly n: number;
  readonly layout: '1' | '100';
  readonly gradients: 'normal' | 'zero' | 'denormal';
  readonly rounds: number;
}

export interface StepContext {
  readonly environment: string;
  readonly timeOnce: TimeOnce;
  readonly load: (file: string) => Promise<PeerModule>;
  readonly report: (entry: Entry) => void;
}

const CHECK_STEPS = 20;
/**
 * Peers round differently: relative to the weight, or to the way that all steps together may have
 * gone.
 */
const TOLERANCE = 1e-4;
const WAY = CHECK_STEPS * HYPERPARAMETERS.lr;

type Check = NonNullable<Micro['check']>;

interface Ready {
  readonly contender: Contender;
  readonly stepper: Stepper | null;
  readonly reason: string | null;
  readonly failed: boolean;
  readonly check: Check | null;
}

export async function benchStep(job: StepJob, context: StepContext): Promise<void> {
  const data: StepData = { n: job.n, tensors: Number(job.layout), gradients: job.gradients };
  const references = new Map<Rule, Float32Array>();
  for (const rule of ['adal', 'adam'] as const) references.set(rule, await referenceOf(rule, data));
  const all: Ready[] = [];
  for (const contender of createContenders(context.load))
    all.push(await prepare(contender, data, references.get(contender.rule)!));
  const bodies = new Map<string, Body>();
  for (const { contender, stepper, check } of all) {
    if (!stepper || !check?.passed) continue;
    bodies.set(nameOf(contender, 'resident'), stepper.step);
    bodies.set(nameOf(contender, 'copies'), stepper.stepWithCopies);
  }
  const { samples, stable } = timeRounds(context.timeOnce, bodies, job.rounds);
  for (const ready of all) {
    for (const variant of ['resident', 'copies'] as const) {
      const own = samples.get(nameOf(ready.contender, variant)) ?? [];
      context.report({
        type: 'micro',
        value: rowOf(job, ready, variant, own, stable, context.environment),
      });
    }
    ready.stepper?.dispose();
  }
}

const nameOf = ({ rule, implementation }: Contender, variant: string): string =>
  `${rule} ${implementation} ${variant}`;

/**
 * The first tensor after some steps of the oracle; for many parameters the same by the fast
 * backend, whose bits are the same.
 */
async function referenceOf(rule: Rule, data: StepData): Promise<Float32Array> {
  const stepper = await createOwn(rule, data, { backend: data.n > 1e5 ? 'simd' : 'oracle' });
  for (let step = 0; step < CHECK_STEPS; step++) stepper.step();
  const params = stepper.params();
  stepper.dispose();
  return params;
}

async function prepare(
  contender: Contender,
  data: StepData,
  reference: Float32Array,
): Promise<Ready> {
  if (data.n > contender.maxSize) {
    const reason =
      `not measured above ${contender.maxSize.toLocaleString('en')} parameters: a ` +
      `step would ` +
      `take too long`;
    return { contender, stepper: null, reason, failed: false, check: null };
  }
  let stepper: Stepper;
  try {
    stepper = await contender.create(data);
  } catch (error) {
    return {
      contender,
      stepper: null,
      reason: (error as Error).message.split('\n')[0],
      failed: false,
      check: null,
    };
  }
  for (let step = 0; step < CHECK_STEPS; step++) stepper.step();
  const check = compare(stepper.params(), reference, contender.exact);
  if (check.passed) return { contender, stepper, reason: null, failed: false, check };
  const reason =
    `after ${CHECK_STEPS} steps it is not where the oracle is: relative error ` +
    `${check.maxRelativeError}`;
  return { contender, stepper, reason, failed: true, check };
}

export function compare(got: Float32Array, expected: Float32Array, exact: boolean): Check {
  const [a, b] = [got, expected].map(
    (array) => new Int32Array(array.buffer, array.byteOffset, array.length),
  );
  let [bitwise, maxUlp, worst] = [true, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    if (a[i] === b[i]) continue;
    bitwise = false;
    maxUlp = Math.max(maxUlp, Math.abs(ordered(a[i]) - ordered(b[i])));
    const error = Math.abs(got[i] - expected[i]) / Math.max(WAY, Math.abs(expected[i]));
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }
  const passed = exact ? bitwise : worst <= TOLERANCE;
  return { steps: CHECK_STEPS, bitwise, maxRelativeError: compact(worst), maxUlp, passed };
}

/** Bits of a float32 in the order of the numbers, so that neighbours differ by 1. */
const ordered = (bits: number): number => (bits < 0 ? -(bits & 0x7fffffff) : bits);

function rowOf(
  { n, layout, gradients }: StepJob,
  { contender, stepper, reason, failed, check }: Ready,
  variant: Micro['variant'],
  samples: number[],
  stable: boolean,
  environment: string,
): Micro {
  return {
    environment,
    benchmark: `step-${contender.rule}`,
    implementation: contender.implementation,
    native: false,
    threads: stepper?.threads ?? 1,
    n,
    shape: null,
    layout,
    gradients,
    variant,
    status: reason === null ? 'ok' : failed ? 'failed' : 'unsupported',
    reason,
    unit: 'ns/call',
    workPerCall: n,
    bytesPerCall: contender.bytesPerParameter * n,
    samples,
    check,
    stable,
  };
}
