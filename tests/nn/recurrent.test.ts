/**
 * Recurrent layers in graphs: initial and final states, lengths, direction, and one step at a time.
 */
import { describe, expect, it } from 'vitest';
import {
  apply,
  bidirectional,
  concat,
  createModel,
  dense,
  flatten,
  graph,
  gru,
  input,
  type Layer,
  lstm,
  type Model,
  type ModelOptions,
  meanSquaredError,
  type RecurrentOptions,
  simpleRnn,
} from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { generator } from '../kernels/values';
import { BACKENDS, type BackendCase, bitsOf, simd, withRuntime } from '../support/backends';
import { Network64 } from '../support/network64';

const STEP = 2 ** -17;
const [COUNT, STEPS, FEATURES, UNITS] = [5, 4, 3, 6];
const LENGTHS = [4, 2, 1, 3, 0];

/** The cells, with the floats of their state. */
const CELLS: Readonly<
  Record<string, [make: (options?: RecurrentOptions) => Layer, state: number]>
> = {
  lstm: [(options) => lstm(UNITS, options), 2 * UNITS],
  gru: [(options) => gru(UNITS, options), UNITS],
  'gru that resets before': [(options) => gru(UNITS, { ...options, resetAfter: false }), UNITS],
  simpleRnn: [(options) => simpleRnn(UNITS, options), UNITS],
  'simpleRnn with relu': [(options) => simpleRnn(UNITS, { ...options, activation: 'relu' }), UNITS],
};

/** A network that uses all states and all steps. */
function whole(cell: string, options: RecurrentOptions): ModelOptions {
  const [make, state] = CELLS[cell]!;
  const layer = make({ ...options, initialState: true, returnState: true, lengths: true });
  const x = input('x', [STEPS, FEATURES]).apply(dense(FEATURES));
  const y = apply(layer, [x, input('state', state), input('lengths', 1)], 'cell');
  return {
    ...graph([y.apply(flatten()).apply(dense(3))]),
    loss: meanSquaredError(),
    batchSize: COUNT,
    seed: 3,
  };
}

type Arrays = Readonly<Record<string, Float32Array | Float64Array>>;

function fill(inputs: Arrays, targets: Float32Array | Float64Array): void {
  const random = generator(9);
  for (const [name, values] of Object.entries(inputs)) {
    if (name === 'lengths') values.set(LENGTHS);
    else for (let i = 0; i < values.length; i++) values[i] = Math.fround(2 * random() - 1);
  }
  for (let i = 0; i < targets.length; i++) targets[i] = Math.fround(2 * random() - 1);
}

/** Sets the inputs at padded steps. */
function pad(x: Float32Array, value: (i: number) => number): void {
  const row = STEPS * FEATURES;
  for (const [sample, length] of LENGTHS.entries())
    for (let i = length * FEATURES; i < row; i++) x[sample * row + i] = value(i);
}

const OPTIONS: readonly [string, RecurrentOptions][] = [
  ['last step', {}],
  ['all steps', { returnSequences: true }],
  ['all steps, backwards', { returnSequences: true, goBackwards: true }],
];

describe.each(Object.keys(CELLS))('%s', (cell) => {
  const [make, state] = CELLS[cell]!;

  describe.each(OPTIONS)('%s', (_, options) => {
    it('has the gradients of its loss: finite differences in float64', () => {
      const network = new Network64({ ...whole(cell, options), inputGradients: true }, 7);
      fill(network.inputs, network.targets);
      network.computeGradients();
      const values: Arrays = { ...network.weights, ...network.inputs };
      const analytic = Object.entries({ ...network.gradients, ...network.inputGradients }).map(
        ([name, gradient]) => [name, gradient.slice()] as const,
      );
      expect(analytic.length).toBeGreaterThan(8);
      for (const [name, gradient] of analytic) {
        if (name === 'lengths') {
          expect(gradient.every((each) => each === 0)).toBe(true);
          continue;
        }
        const at = values[name]!;
        for (let i = 0; i < at.length; i++) {
          const value = at[i]!;
          at[i] = value + STEP;
          const up = network.evaluate(true);
          at[i] = value - STEP;
          const down = network.evaluate(true);
          at[i] = value;
          const slope = (up - down) / (2 * STEP);
          expect(Math.abs(gradient[i]! - slope), `${name}[${i}]`).toBeLessThan(
            1e-8 + 1e-6 * Math.abs(slope),
          );
        }
        expect(Math.max(...gradient.map(Math.abs)), name).toBeGreaterThan(1e-4);
      }
    });

    async function run(backend: BackendCase) {
      return withRuntime(backend, async (runtime: Runtime) => {
        const model = await createModel(runtime, {
          ...whole(cell, options),
          inputGradients: true,
        });
        fill(model.inputs, model.targets);
        const losses = [COUNT, COUNT - 1].map((count) => model.computeGradients(count));
        return {
          losses,
          gradients: Object.values(model.parameters).map(({ grad }) => bitsOf(grad.data)),
          inputs: Object.values(model.inputGradients).map((each) => bitsOf(each.subarray(0, 4))),
          outputs: bitsOf(model.predictBatch(COUNT)),
        };
      });
    }

    it('has the same bits on every backend', async () => {
      const reference = await run(BACKENDS[0]!);
      expect(reference.losses.every(Number.isFinite)).toBe(true);
      for (const backend of BACKENDS.slice(1))
        expect(await run(backend), backend.name).toEqual(reference);
    });

    it('padding changes neither results nor gradients', async () => {
      await withRuntime(simd, async (runtime) => {
        const model = await createModel(runtime, {
          ...whole(cell, options),
          inputGradients: true,
        });
        const results = [0, 1e6].map((padding) => {
          fill(model.inputs, model.targets);
          pad(model.inputs.x!, (i) => padding * Math.cos(i));
          const loss = model.computeGradients(COUNT);
          const gradients = Object.entries(model.parameters).map(
            // The dense layer before sees the padding; its own gradients by it are zeros.
            ([name, { grad }]) => [name, grad.data.map((each) => each + 0)],
          );
          return { loss, gradients, dx: model.inputGradients.x!.map((each) => each + 0) };
        });
        expect(results[1]).toEqual(results[0]);
      });
    });
  });

  /** A model of `steps` steps that gives all outputs and the state. */
  const stepper = (runtime: Runtime, steps: number, options: RecurrentOptions = {}) => {
    const inputs = [input('x', [steps, FEATURES]), input('state', state)];
    const layer = make({
      ...options,
      returnSequences: true,
      returnState: true,
      initialState: true,
    });
    return createModel(runtime, {
      ...graph([apply(layer, inputs, 'cell')]),
      loss: null,
      batchSize: COUNT,
      seed: 5,
      training: false,
    });
  };

  /** Runs a stepper from a state; returns the outputs by sample, and the states. */
  const advance = (model: Model, x: Float32Array, from: Float32Array) => {
    model.inputs.x!.set(x);
    model.inputs.state!.set(from);
    model.forward();
    const [output] = Object.values(model.outputs);
    const size = output!.length / COUNT;
    const each = (begin: number, end: number) =>
      Array.from({ length: COUNT }, (_, i) =>
        bitsOf(output!.subarray(i * size + begin, i * size + end)),
      );
    const ends = new Float32Array(COUNT * state);
    for (let i = 0; i < COUNT; i++)
      ends.set(output!.subarray((i + 1) * size - state, (i + 1) * size), i * state);
    return { ys: each(0, size - state), ends };
  };

  const random = generator(4);
  const x = Float32Array.from({ length: COUNT * STEPS * FEATURES }, () => 2 * random() - 1);
  const first = Float32Array.from({ length: COUNT * state }, () => random() - 0.5);
  /** Steps [from, to) of all samples. */
  const part = (from: number, to: number) => {
    const size = (to - from) * FEATURES;
    const values = new Float32Array(COUNT * size);
    for (let i = 0; i < COUNT; i++) {
      const begin = (i * STEPS + from) * FEATURES;
      values.set(x.subarray(begin, begin + size), i * size);
    }
    return values;
  };

  it('one step at a time has the bits of the whole sequence', async () => {
    await withRuntime(simd, async (runtime) => {
      const all = await stepper(runtime, STEPS);
      const one = await stepper(runtime, 1);
      one.loadStateDict(all.stateDict());
      const expected = advance(all, x, first);
      let states = first;
      for (let step = 0; step < STEPS; step++) {
        const { ys, ends } = advance(one, part(step, step + 1), states);
        for (const [sample, y] of ys.entries())
          expect(y).toEqual(expected.ys[sample]!.slice(step * UNITS, (step + 1) * UNITS));
        states = ends;
      }
      expect(bitsOf(states)).toEqual(bitsOf(expected.ends));
    });
  });

  it('backwards is forwards over the reversed steps', async () => {
    await withRuntime(simd, async (runtime) => {
      const [forwards, backwards] = [
        await stepper(runtime, STEPS),
        await stepper(runtime, STEPS, { goBackwards: true }),
      ];
      const reversed = new Float32Array(x.length);
      for (let i = 0; i < COUNT; i++)
        for (let step = 0; step < STEPS; step++)
          reversed.set(
            x.subarray((i * STEPS + step) * FEATURES, (i * STEPS + step + 1) * FEATURES),
            ((i + 1) * STEPS - 1 - step) * FEATURES,
          );
      const one = advance(forwards, x, first);
      const other = advance(backwards, reversed, first);
      expect(bitsOf(other.ends)).toEqual(bitsOf(one.ends));
      for (const [sample, y] of one.ys.entries())
        for (let step = 0; step < STEPS; step++)
          expect(other.ys[sample]!.slice((STEPS - 1 - step) * UNITS).slice(0, UNITS)).toEqual(
            y.slice(step * UNITS, (step + 1) * UNITS),
          );
    });
  });

  it('a padded sample has the bits of the shorter sequence', async () => {
    await withRuntime(simd, async (runtime) => {
      const build = (steps: number, lengths: boolean) => {
        const inputs = [input('x', [steps, FEATURES])];
        if (lengths) inputs.push(input('lengths', 1));
        const options = { batchSize: COUNT, loss: null, seed: 5 };
        return createModel(runtime, {
          ...graph([apply(make({ lengths }), inputs, 'cell')]),
          ...options,
        });
      };
      const padded = await build(STEPS, true);
      padded.inputs.x!.set(x);
      padded.inputs.lengths!.fill(2);
      padded.forward();
      const short = await build(2, false);
      short.inputs.x!.set(part(0, 2));
      short.forward();
      expect(bitsOf(padded.outputs.cell!)).toEqual(bitsOf(short.outputs.cell!));
    });
  });

  it('names inputs that do not fit', () => {
    const build = (layer: Layer, inputs: ReturnType<typeof input>[]) =>
      new Network64({ ...graph([apply(layer, inputs, 'cell')]), loss: null });
    const sequence = input('x', [STEPS, FEATURES]);
    const path = `"nodes.cell (${make().kind})" expected`;
    expect(() => build(make(), [input('x', 3)])).toThrow(
      `${path} a sequence [steps, features], got [3]`,
    );
    expect(() => build(make({ initialState: true, lengths: true }), [sequence])).toThrow(
      `${path} 3 inputs (the sequence, the initial state, the lengths), got 1`,
    );
    expect(() => build(make(), [sequence, input('state', state)])).toThrow(
      `${path} 1 input (the sequence), got 2`,
    );
    expect(() => build(make({ initialState: true }), [sequence, input('state', 5)])).toThrow(
      `${path} an initial state of shape [${state}], got [5]`,
    );
    expect(() => build(make({ lengths: true }), [sequence, input('lengths', 2)])).toThrow(
      `${path} lengths of shape [1], got [2]`,
    );
    expect(() => make({ lengths: 1 as never })).toThrow('"lengths" expected');
    expect(() => make({ returnSequence: true } as never)).toThrow('returnSequence');
  });
});

describe('bidirectional with states', () => {
  type Cell = typeof lstm | typeof gru | typeof simpleRnn;
  const MAKERS: Readonly<Record<string, [make: Cell, state: number]>> = {
    lstm: [lstm, 2 * UNITS],
    gru: [gru, UNITS],
    simpleRnn: [simpleRnn, UNITS],
  };

  /** Runs a model with the same values of inputs, parameters and targets as any other. */
  async function run(runtime: Runtime, options: ReturnType<typeof graph>) {
    const model = await createModel(runtime, {
      ...options,
      loss: meanSquaredError(),
      batchSize: COUNT,
      inputGradients: true,
    });
    const values = (length: number, seed: number) => {
      const random = generator(seed);
      return Float32Array.from({ length }, () => random() - 0.5);
    };
    const { x, lengths, state, forward, backward } = model.inputs;
    x!.set(values(x!.length, 1));
    lengths!.set(LENGTHS);
    const parameters = Object.values(model.parameters);
    for (const [i, { value }] of parameters.entries())
      value.data.set(values(value.data.length, 9 + i));
    model.targets.set(values(model.targets.length, 2));
    const half = (state?.length ?? 2 * forward!.length) / (2 * COUNT);
    const states = values(2 * half * COUNT, 3);
    // Of each sample those of the forward layer, and then those of the backward one.
    const rows = (from: number) =>
      Array.from({ length: COUNT }, (_, i) => {
        const begin = 2 * half * i + from;
        return states.subarray(begin, begin + half);
      });
    if (state) state.set(states);
    for (const [of, from] of [
      [forward, 0],
      [backward, half],
    ] as const)
      for (const [i, row] of rows(from).entries()) of?.set(row, i * half);
    const loss = model.computeGradients(COUNT);
    const { x: dx, ...rest } = model.inputGradients;
    const dstates = rest.state
      ? [0, half].map((from) =>
          Array.from({ length: COUNT }, (_, i) => {
            const begin = 2 * half * i + from;
            return [...bitsOf(rest.state!.subarray(begin, begin + half))];
          }).flat(),
        )
      : [rest.forward!, rest.backward!].map(bitsOf);
    return {
      loss,
      dx: bitsOf(dx!),
      dlengths: [...rest.lengths!],
      dstates: dstates.map((each) => [...each]),
      gradients: parameters.map(({ grad }) => bitsOf(grad.data)),
      output: bitsOf(model.predictBatch(COUNT)),
    };
  }

  describe.each(Object.entries(MAKERS))('%s', (_, [make, state]) => {
    it.each([true, false])('is two layers, returnSequences: %s', async (returnSequences) => {
      const options = { returnSequences, returnState: true, initialState: true, lengths: true };
      const x = input('x', [STEPS, FEATURES]);
      const lengths = input('lengths', 1);
      const both = graph([
        apply(bidirectional(make(UNITS, options)), [x, input('state', 2 * state), lengths]),
      ]);
      const ofEach = (name: 'forward' | 'backward') => {
        const layer = make(UNITS, { ...options, goBackwards: name === 'backward' });
        return apply(layer, [x, input(name, state), lengths], `${name}s`);
      };
      const two = graph([apply(concat(), [ofEach('forward'), ofEach('backward')])]);
      let bits: unknown;
      for (const backend of BACKENDS)
        await withRuntime(backend, async (runtime) => {
          const result = await run(runtime, both);
          expect(result).toEqual(await run(runtime, two));
          bits ??= result;
          expect(result).toEqual(bits);
          expect(result.dlengths).toEqual(LENGTHS.map(() => 0));
          expect(result.dstates.flat().some((each) => each !== 0)).toBe(true);
        });
    });
  });

  it('names states that do not fit', () => {
    const build = (size: number) => {
      const inputs = [input('x', [STEPS, FEATURES]), input('state', size)];
      const layer = bidirectional(lstm(UNITS, { initialState: true }));
      return new Network64({ ...graph([apply(layer, inputs, 'both')]), loss: null });
    };
    expect(() => build(2 * UNITS)).toThrow(
      '"nodes.both (bidirectional)" expected initial states of shape [24], got [12]',
    );
    expect(() => bidirectional(gru(2, { returnState: true }), { merge: 'sum' })).toThrow(
      `"layer.returnState" expected false unless merge is 'concat', got true`,
    );
    expect(() => bidirectional(gru(2, { goBackwards: true }))).toThrow(
      '"layer.goBackwards" expected false in both directions, got true',
    );
  });
});
