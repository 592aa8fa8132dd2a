/**
 * A made-up result of a known truth, as large as the standard tier's: no measurement, and only for
 * tests. On W1 AdaL is better than Adam by construction, on W3 both are the same, on W5 AdaL is
 * worse; rates above 0.3 diverge; everything is drawn from the project's PRNG.
 */

import { Prng } from 'adal-wasm/math';
import example from '../../bench/schema/example.json';
import type {
  Environment,
  Figures,
  Micro,
  Result,
  Run,
  Selection,
  Stream,
  Workload,
} from '../../bench/schema/result';

const OPTIMIZERS: [id: string, label: string, family: string, stateBytes: number][] = [
  ['adal', 'AdaL as restated', 'adal', 8],
  ['adal-no-decay', 'AdaL without √t', 'adal', 8],
  ['adal-practical', 'AdaL, practical preset', 'adal', 8],
  ['sgd-momentum', 'SGD, momentum 0.9', 'sgd', 4],
  ['nesterov', 'Nesterov', 'sgd', 4],
  ['adam', 'Adam', 'adam', 8],
  ['adamw', 'AdamW', 'adamw', 8],
  ['amsgrad', 'AMSGrad', 'amsgrad', 12],
  ['nadam', 'NAdam', 'nadam', 8],
  ['adagrad', 'Adagrad', 'adagrad', 4],
  ['lion', 'Lion', 'lion', 4],
  ['schedule-free-adamw', 'Schedule-Free AdamW', 'schedule-free-adamw', 8],
];

/** What AdaL's primary figure differs by from every other optimizer's, in units of the noise. */
const TRUTH: Record<string, number> = { W1: -3, W3: 0, W5: 3 };

const [base] = example.workloads as unknown as Workload[];
const accuracy = {
  name: 'test accuracy',
  field: 'testMetric',
  direction: 'higher',
  scale: 'linear',
  unit: null,
} as const;

const WORKLOADS: Workload[] = [
  base!,
  { ...(example.workloads[1] as unknown as Workload), metric: accuracy },
  {
    ...base!,
    id: 'W5',
    group: 'W5',
    title: 'Fashion-MNIST, MLP 784-128-10',
    metric: accuracy,
    target: { field: 'validationMetric', value: 0.86 },
    steps: 4220,
    parameters: 101_770,
    references: [],
  },
];

const RATES = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1];

const NO_FIGURES: Figures = {
  trainLoss: null,
  validationLoss: null,
  validationMetric: null,
  testLoss: null,
  testMetric: null,
};

function figuresOf(workload: Workload, optimizer: string, noise: number): Figures {
  const shift = optimizer.startsWith('adal') ? TRUTH[workload.id]! : 0;
  if (workload.id === 'W1') {
    const loss = 87.1 + 0.01 * (noise + shift);
    return { ...NO_FIGURES, trainLoss: loss - 0.5, validationLoss: loss };
  }
  const error = (workload.id === 'W3' ? 0.024 : 0.12) + 0.003 * (noise + shift);
  return {
    trainLoss: 0.02,
    validationLoss: 4 * error,
    validationMetric: 1 - error,
    testLoss: 4.2 * error,
    testMetric: 1 - error,
  };
}

const CURVE_POINTS = 100;

function curveOf(workload: Workload, final: Figures, speed: number, prng: Prng): Run['curve'] {
  const steps = Array.from({ length: CURVE_POINTS }, (_, i) =>
    Math.round((i * workload.steps) / (CURVE_POINTS - 1)),
  );
  const decay = (end: number, begin: number): number[] =>
    steps.map(
      (_, i) =>
        end + (begin - end) / (1 + speed * i * i * 0.05) + 0.01 * end * Math.abs(prng.normal()),
    );
  const train = decay(final.trainLoss!, workload.id === 'W1' ? 353 : 2.3);
  const validation = decay(final.validationLoss!, workload.id === 'W1' ? 353 : 2.3);
  const metric =
    final.validationMetric === null
      ? steps.map(() => null)
      : decay(1 - final.validationMetric, 0.9).map((error) => 1 - error);
  return { steps, trainLoss: train, validationLoss: validation, validationMetric: metric };
}

function runOf(
  workload: Workload,
  optimizer: string,
  index: number,
  schedule: string,
  seed: number,
): Run {
  const prng = new Prng(seed, 1000 * index + 17 * workload.steps + schedule.length);
  const shared = new Prng(seed, workload.steps).normal();
  const diverged = optimizer === 'nesterov' && schedule === 'constant' && seed === 3;
  const final = figuresOf(workload, optimizer, shared + 0.7 * prng.normal());
  const speed = 0.5 + (index % 5) / 4;
  return {
    environment: 'node-24.1.0',
    workload: workload.id,
    workloadVersion: 1,
    optimizer,
    options: {},
    schedule,
    track: 'T1',
    lr: optimizer === 'adam' && workload.id === 'W1' ? 0.03981 : 0.01,
    seed,
    status: 'ok',
    reason: null,
    diverged,
    divergedStep: diverged ? 300 : null,
    steps: diverged ? 300 : workload.steps,
    final: diverged ? NO_FIGURES : final,
    best: { step: workload.steps, figures: final },
    stepsToTarget:
      diverged || index % 6 === 5 - 1
        ? null
        : Math.round((workload.steps / 4 / speed) * (1 + 0.1 * prng.uniform())),
    secondsPerStep: 1e-5,
    curve: curveOf(workload, final, speed, prng),
    hash: null,
  };
}

function selectionOf(
  workload: Workload,
  optimizer: string,
  index: number,
  schedule: string,
): Selection {
  const best = 2 + (index % 5);
  const scores = RATES.map((rate, i) =>
    rate > 0.5 ? null : 0.5 + 0.08 * (i - best) ** 2 * (1 + (index % 3)),
  );
  const field = 'trainLoss';
  return {
    workload: workload.id,
    optimizer,
    schedule,
    lr: RATES[best]!,
    grid: RATES,
    scores,
    extended: 0,
    edge: false,
    field,
  };
}

const IMPLEMENTATIONS: [name: string, threads: number, nanoseconds: number][] = [
  ['wasm simd', 1, 0.7],
  ['wasm threads', 2, 0.4],
  ['plain JS', 1, 4.4],
  ['oracle', 1, 30],
  ['TensorFlow.js wasm', 1, 8],
];
const SIZES = [1e3, 1e4, 1e5, 1e6, 1e7];

function microOf(
  environment: string,
  [implementation, threads, cost]: (typeof IMPLEMENTATIONS)[number],
  n: number,
): Micro {
  const prng = new Prng(n, threads + implementation.length);
  const overhead = implementation.startsWith('Tensor') ? 90_000 : threads > 1 ? 4000 : 80;
  const cache = n >= 1e6 ? 1.5 : 1;
  const unsupported = environment.startsWith('workerd') && implementation !== 'wasm simd';
  return {
    ...(example.micro[0] as unknown as Micro),
    environment,
    implementation,
    threads,
    n,
    workPerCall: n,
    bytesPerCall: 32 * n,
    status: unsupported ? 'unsupported' : 'ok',
    reason: unsupported ? 'this runtime has no workers and no code generation' : null,
    samples: unsupported
      ? []
      : Array.from(
          { length: 15 },
          () => (overhead + cost * cache * n) * (1 + 0.03 * Math.abs(prng.normal())),
        ),
    check: unsupported ? null : (example.micro[0] as unknown as Micro).check,
  };
}

const STREAMS: Stream[] = (
  [
    [
      'C',
      'f = c·x, c = +3 every 5th step, else −1',
      'average-regret',
      0.4,
      { low: 0.39, high: 0.41, optimum: 0 },
    ],
    ['D', '½(x − b)², b exponential', 'iterate', 1.3, { low: 1.27, high: 1.33, optimum: 1 }],
    ['E', '½(x − b)², b normal', 'regret-over-root', 0.3, { low: null, high: 0.5, optimum: null }],
    ['F', '|x − 0.3|', 'regret-over-root', 0.2, { low: null, high: 0.3, optimum: null }],
  ] as const
).map(([id, title, figure, value, expected]) => ({
  ...(example.streams[0] as unknown as Stream),
  id,
  title,
  figure,
  expected,
  steps: [100, 1000, 10_000, 100_000],
  values: [1.3, 1.1, 1.02, 1].map((factor) => factor * value),
}));

/** @param seeds of every final run */
export function syntheticResult(seeds = 10): Result {
  const result = structuredClone(example) as unknown as Result;
  const cells = WORKLOADS.flatMap((workload) =>
    OPTIMIZERS.flatMap(([optimizer], index) =>
      ['constant', 'cosine'].map((schedule) => ({ workload, optimizer, index, schedule })),
    ),
  );
  const environments = result.environments.map(({ id }: Environment) => id);
  return {
    ...result,
    workloads: WORKLOADS,
    optimizers: OPTIMIZERS.map(([id, label, family, stateBytesPerParameter]) => {
      return { id, label, family, ablation: null, options: {}, stateBytesPerParameter, note: null };
    }),
    comparisons: ['adam', 'sgd-momentum'].map((b) => {
      return {
        a: 'adal',
        b,
        workloads: ['W1', 'W3', 'W5'],
        schedule: 'constant',
        track: 'T1',
        metric: 'primary',
      };
    }),
    micro: environments.flatMap((environment) =>
      IMPLEMENTATIONS.flatMap((each) => SIZES.map((n) => microOf(environment, each, n))),
    ),
    training: {
      runs: cells.flatMap(({ workload, optimizer, index, schedule }) =>
        Array.from({ length: seeds }, (_, seed) =>
          runOf(workload, optimizer, index, schedule, seed),
        ),
      ),
      searches: [],
      selections: cells.map(({ workload, optimizer, index, schedule }) =>
        selectionOf(workload, optimizer, index, schedule),
      ),
      speed: result.training.speed,
    },
    streams: STREAMS,
  };
}
