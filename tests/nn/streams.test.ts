/**
 * Streams: opened once an epoch, closed when the run ends before they do, and refused when nothing
 * comes of them.
 */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/checkpoint';
import { ArgumentError } from '../../src/errors';
import { SGD } from '../../src/index';
import {
  createModel,
  dense,
  type FitOptions,
  type FitResult,
  fit,
  type Samples,
  type TrainingData,
} from '../../src/nn';
import { bitsOf, simd, withRuntime } from '../support/backends';

const chunk = (): Samples => ({
  features: Float32Array.of(1, 2, 3, 4),
  labels: Int32Array.of(0, 1, 0, 1),
});
const empty = (): Samples => ({ features: new Float32Array(0), labels: new Int32Array(0) });
const spoilt = (): Samples => ({ ...chunk(), features: new Float32Array(4).fill(Number.NaN) });

async function train(
  data: TrainingData,
  options: Partial<FitOptions> = {},
): Promise<FitResult & { weights: Uint32Array[] }> {
  return withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, {
      inputSize: 1,
      layers: [dense(2)],
      batchSize: 4,
      seed: 1,
    });
    const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
    const result = await fit(model, data, { optimizer, epochs: 1, ...options });
    return {
      ...result,
      weights: Object.values(model.weights).map(({ data: values }) => bitsOf(values)),
    };
  });
}

/** Streams of every kind that count how often they were closed; `chunks` may be endless. */
const KINDS = {
  'a generator': (chunks: () => Iterable<Samples>, closed: () => void) =>
    function* () {
      try {
        yield* chunks();
      } finally {
        closed();
      }
    },
  'an async generator': (chunks: () => Iterable<Samples>, closed: () => void) =>
    async function* () {
      try {
        yield* chunks();
      } finally {
        await Promise.resolve();
        closed();
      }
    },
  'an iterator without a generator':
    (chunks: () => Iterable<Samples>, closed: () => void) => () => {
      const iterator = chunks()[Symbol.iterator]();
      return {
        [Symbol.asyncIterator]: () => ({
          next: async () => iterator.next(),
          return: async () => {
            closed();
            return { done: true as const, value: undefined };
          },
        }),
      };
    },
} as const;

function* endless() {
  while (true) yield chunk();
}

describe.each(Object.entries(KINDS))('%s', (_, kind) => {
  it('is closed when the run is aborted', async () => {
    let closed = 0;
    const controller = new AbortController();
    const result = await train(
      kind(endless, () => void closed++),
      {
        signal: controller.signal,
        budgetMs: 0,
        onProgress: ({ step }) => step === 3 && controller.abort(),
      },
    );
    expect([result.reason, result.steps, closed]).toEqual(['aborted', 3, 1]);
  });

  it('is closed when a step, a chunk or a callback fails; the error is theirs', async () => {
    const failures: [() => Iterable<Samples>, Partial<FitOptions>, string][] = [
      [() => [chunk(), spoilt(), chunk()], {}, 'non-finite gradient'],
      [
        () => [chunk(), { ...chunk(), labels: Int32Array.of(0, 1, 2, 0) }],
        {},
        '"data().labels[2]" expected a class in [0, 1]',
      ],
      [() => [chunk(), 7 as never], {}, '"data()" expected samples'],
      [
        endless,
        {
          budgetMs: 0,
          onProgress: () => {
            throw new Error('a callback');
          },
        },
        'a callback',
      ],
    ];
    for (const [chunks, options, message] of failures) {
      let closed = 0;
      const data = kind(chunks, () => void closed++);
      await expect(train(data, options)).rejects.toThrow(message);
      expect(closed).toBe(1);
    }
  });
});

describe('a ReadableStream', () => {
  const open = (chunks: Iterator<Samples>, cancelled: (reason: unknown) => void) =>
    new ReadableStream<Samples>({
      pull(sink) {
        const { done, value } = chunks.next();
        if (done) sink.close();
        else sink.enqueue(value);
      },
      cancel: cancelled,
    });

  it('is read to its end and let go of', async () => {
    const reference = await train(() => [chunk(), chunk()]);
    let cancelled = 0;
    const stream = open([chunk(), chunk()].values(), () => void cancelled++);
    const { weights, steps } = await train(() => stream);
    expect([weights, steps, cancelled, stream.locked]).toEqual([reference.weights, 2, 0, false]);
  });

  it('is cancelled and let go of on abort and on errors', async () => {
    let cancelled = 0;
    const aborted = open(endless(), () => void cancelled++);
    const controller = new AbortController();
    const stop = ({ step }: { step: number }) => step === 3 && controller.abort();
    const { reason } = await train(() => aborted, {
      signal: controller.signal,
      budgetMs: 0,
      onProgress: stop,
    });
    expect([reason, cancelled, aborted.locked]).toEqual(['aborted', 1, false]);
    const failing = open([spoilt(), chunk(), chunk()].values(), () => void cancelled++);
    await expect(train(() => failing)).rejects.toThrow('non-finite');
    expect([cancelled, failing.locked]).toEqual([2, false]);
  });

  it('that breaks off ends the run with its error; a locked one is refused', async () => {
    const broken = new ReadableStream<Samples>({
      pull: (sink) => sink.error(new Error('connection lost')),
    });
    await expect(train(() => broken)).rejects.toThrow('connection lost');
    expect(broken.locked).toBe(false);
    const taken = open(endless(), () => {});
    taken.getReader();
    await expect(train(() => taken)).rejects.toThrow(
      '"data()" expected a ReadableStream that is not locked to another reader',
    );
  });
});

describe('waiting for a chunk', () => {
  const never = () => new Promise<never>(() => {});

  it('ends when the signal is aborted: fit does not wait for the chunk', async () => {
    let cancelled = 0;
    const slow = new ReadableStream<Samples>({ pull: never, cancel: () => void cancelled++ });
    const { reason, steps } = await train(() => slow, { signal: AbortSignal.timeout(20) });
    expect([reason, steps, cancelled, slow.locked]).toEqual(['aborted', 0, 1, false]);
    let returned = 0;
    const stuck = {
      [Symbol.asyncIterator]: () => ({
        next: never,
        return: () => {
          returned++;
          return never();
        },
      }),
    };
    expect((await train(() => stuck, { signal: AbortSignal.timeout(20) })).reason).toBe('aborted');
    expect(returned).toBe(1);
  });

  it('a generator that waits itself is closed when it gets to it', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let closed = 0;
    async function* open() {
      try {
        yield chunk();
        await gate;
        yield chunk();
      } finally {
        closed++;
      }
    }
    const { reason, steps } = await train(open, { signal: AbortSignal.timeout(20) });
    expect([reason, steps, closed]).toEqual(['aborted', 1, 0]);
    release();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(closed).toBe(1);
  });

  it('leaves no listener behind', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const [add, remove] = [
      signal.addEventListener.bind(signal),
      signal.removeEventListener.bind(signal),
    ];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    async function* open() {
      for (let i = 0; i < 5; i++) yield chunk();
    }
    await train(open, { signal });
    expect(listeners).toBe(0);
  });

  it('an interrupted run goes on where it was, with the same bits', async () => {
    const reference = await train(() => [chunk(), chunk(), chunk()], { epochs: 2 });
    const store = memoryStore();
    async function* slow() {
      yield chunk();
      await never();
    }
    await train(slow, { checkpoint: { store }, signal: AbortSignal.timeout(20), epochs: 2 });
    const { weights } = await train(() => [chunk(), chunk(), chunk()], {
      checkpoint: { store },
      epochs: 2,
    });
    expect(weights).toEqual(reference.weights);
  });
});

describe('a source without samples', () => {
  it.each<[string, () => Iterable<Samples>]>([
    ['no chunks', () => []],
    ['empty chunks', () => [empty(), empty()]],
  ])('%s: is refused, naming the epoch', async (_, open) => {
    await expect(train(open)).rejects.toThrow(ArgumentError);
    await expect(train(open)).rejects.toThrow('"data()" expected samples in epoch 1');
  });

  it('an iterator that was read in an epoch before is refused in the next', async () => {
    const chunks = (function* () {
      yield chunk();
    })();
    let epochs = 0;
    const run = train(() => chunks, { epochs: 5, onProgress: ({ result }) => result && epochs++ });
    await expect(run).rejects.toThrow(
      '"data()" expected samples in epoch 2 ' +
        '(return a new iterator for every epoch, not one that has been read), got none',
    );
    expect(epochs).toBe(1);
  });

  it('that is shorter than when the run was interrupted is refused', async () => {
    const store = memoryStore();
    const controller = new AbortController();
    const stop = ({ step }: { step: number }) => step === 3 && controller.abort();
    await train(endless, {
      checkpoint: { store },
      signal: controller.signal,
      budgetMs: 0,
      onProgress: stop,
    });
    await expect(train(() => [chunk()], { checkpoint: { store } })).rejects.toThrow(
      '"data()" expected more than 8 samples in epoch 1, as before the run was interrupted, got 4',
    );
  });

  it('an empty chunk is nothing to do', async () => {
    const reference = await train(() => [chunk(), chunk()]);
    expect(
      (await train(() => [empty(), chunk(), empty(), empty(), chunk(), empty()])).weights,
    ).toEqual(reference.weights);
    await expect(train(() => [{ ...empty(), labels: Int32Array.of(1) }])).rejects.toThrow(
      '"data().labels" expected',
    );
    await expect(train(empty())).rejects.toThrow(
      '"data" expected 1 values per sample, got Float32Array(0) in all',
    );
  });
});

it('a signal that is none is refused', async () => {
  await expect(train(chunk(), { signal: true as never })).rejects.toThrow(
    '"signal" expected an AbortSignal, got true',
  );
});
