/**
 * Streams C to F: one parameter, one loss per step, θ clamped to its box after each. They show
 * where AdaL converges and where it does not: it drives E[‖g‖₁·g] to 0, not E[g]. Adam runs beside
 * it.
 */
import { createOptimizer, emptyResult, type Runtime } from 'adal-wasm';
import { log, Prng } from 'adal-wasm/math';
import { inverseSqrt } from 'adal-wasm/schedules';
import type { Stream as StreamEntry } from '../../schema/result';
import { compact, type Entry } from '../result';

interface Draw {
  /** Of the loss paid at x. */
  readonly loss: (x: number) => number;
  readonly gradient: (x: number) => number;
}

interface Stream {
  readonly id: string;
  readonly title: string;
  readonly steps: number;
  readonly x0: number;
  readonly lr: number;
  readonly box: readonly [number, number];
  readonly figure: StreamEntry['figure'];
  readonly expected: StreamEntry['expected'];
  /** The loss of step t (from 1). */
  readonly draw: (t: number, prng: Prng) => Draw;
  /**
   * The best fixed x in hindsight, to which regret is measured; null: of the iterate there is none.
   */
  readonly best: number | null;
}

const square = (b: number): Draw => ({ loss: (x) => 0.5 * (x - b) ** 2, gradient: (x) => x - b });

const STREAMS: readonly Stream[] = [
  {
    id: 'C',
    title: 'c·x, c = 3 every 5th step, else -1',
    steps: 100_000,
    x0: 0,
    lr: 1,
    box: [-1, 1],
    figure: 'average-regret',
    expected: { low: 0.39, high: 0.41, optimum: 0 },
    best: 1,
    draw: (t) => {
      const c = t % 5 === 0 ? 3 : -1;
      return { loss: (x) => c * x, gradient: () => c };
    },
  },
  {
    id: 'D',
    title: '½(x - b)², b ~ Exp(1)',
    steps: 1_000_000,
    x0: 0,
    lr: 1,
    box: [-3, 3],
    figure: 'iterate',
    expected: { low: 1.27, high: 1.33, optimum: 1 },
    best: null,
    draw: (_, prng) => square(-log(1 - prng.uniform())),
  },
  {
    id: 'E',
    title: '½(x - b)², b ~ N(.3, .5²)',
    steps: 10_000,
    x0: -1,
    lr: 1,
    box: [-1, 1],
    figure: 'regret-over-root',
    expected: { low: null, high: 0.5, optimum: null },
    best: 0.3,
    draw: (_, prng) => square(0.3 + 0.5 * prng.normal()),
  },
  {
    id: 'F',
    title: '|x - .3|',
    steps: 10_000,
    x0: -1,
    lr: 0.5,
    box: [-1, 1],
    figure: 'regret-over-root',
    expected: { low: null, high: 0.3, optimum: null },
    best: 0.3,
    draw: () => ({ loss: (x) => Math.abs(x - 0.3), gradient: (x) => Math.sign(x - 0.3) }),
  },
];

const PLAYERS = [
  { id: 'adal', name: 'adal', options: { betas: [0.9, 0.999], eps: 0, decay: 'none' } },
  { id: 'adam', name: 'adam', options: { betas: [0.9, 0.999], eps: 0 } },
] as const;
const SEED = 1;
const POINTS = 40;

/**
 * @param factor of the streams' lengths, in (0, 1]: shorter ones prove nothing, and are for tests
 */
export async function runStreams(
  runtime: Runtime,
  environment: string,
  factor: number,
  report: (entry: Entry) => void,
): Promise<void> {
  for (const stream of STREAMS) {
    for (const player of PLAYERS)
      report({ type: 'stream', value: await play(runtime, environment, stream, player, factor) });
  }
}

async function play(
  runtime: Runtime,
  environment: string,
  stream: Stream,
  { id: optimizerId, name, options }: (typeof PLAYERS)[number],
  factor: number,
): Promise<StreamEntry> {
  const { id, title, x0, lr, box, figure, draw, best } = stream;
  const total = Math.ceil(stream.steps * factor);
  const settings = { ...options, lr: inverseSqrt({ lr }), runtime };
  const optimizer = await createOptimizer(name, { x: new Float32Array([x0]) }, settings as never);
  const [prng, result, { x }, { x: g }] = [
    new Prng(SEED),
    emptyResult(),
    optimizer.params,
    optimizer.grads,
  ];
  const [low, high] = box;
  const marks = new Set(
    Array.from({ length: POINTS }, (_, k) => Math.ceil((total * (k + 1)) / POINTS)),
  );
  const [steps, values]: [number[], (number | null)[]] = [[], []];
  let [regret, sinceMark, markedSteps] = [0, 0, 0];
  for (let t = 1; t <= total; t++) {
    const { loss, gradient } = draw(t, prng);
    if (best !== null) regret += loss(x[0]) - loss(best);
    g[0] = gradient(x[0]);
    optimizer.stepInto(result);
    x[0] = Math.min(high, Math.max(low, x[0]));
    sinceMark += x[0];
    markedSteps++;
    if (!marks.has(t)) continue;
    // The iterate alone scatters: its mean since the last point is what settles.
    const value = {
      'average-regret': regret / t,
      'regret-over-root': regret / Math.sqrt(t),
      iterate: sinceMark / markedSteps,
    }[figure];
    steps.push(t);
    values.push(compact(value));
    [sinceMark, markedSteps] = [0, 0];
  }
  optimizer.dispose();
  const plain = { ...options, betas: [...options.betas], lr };
  // What is expected is of AdaL, and of the whole length.
  const bounded = optimizerId === 'adal' && factor === 1;
  const expected = bounded ? stream.expected : { ...stream.expected, low: null, high: null };
  return {
    environment,
    id,
    title,
    optimizer: optimizerId,
    options: plain,
    seed: SEED,
    figure,
    steps,
    values,
    expected,
  };
}
