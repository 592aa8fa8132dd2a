/** Recurrent layers against PyTorch (scripts/make-recurrent-golden.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  apply,
  bidirectional,
  createModel,
  graph,
  gru,
  input,
  lstm,
  type ModelOptions,
  simpleRnn,
} from '../../src/nn';
import { simd, withRuntime } from '../support/backends';
import { Network64 } from '../support/network64';

interface Golden {
  readonly name: string;
  readonly kind: 'lstm' | 'gru' | 'simpleRnn';
  readonly units: number;
  readonly options: object;
  readonly bidirectional: boolean;
  readonly shape: [steps: number, features: number];
  readonly batchSize: number;
  readonly x: number[];
  readonly state?: number[];
  readonly lengths: number[] | null;
  readonly parameters: Record<string, number[]>;
  readonly output: number[];
  readonly gradients: Record<string, number[]>;
  readonly dx: number[];
  readonly dstate?: number[];
}

const GOLDEN: Golden[] = JSON.parse(
  readFileSync(new URL('../data/golden-nn-recurrent.json', import.meta.url), 'utf8'),
);
const LAYERS = { lstm, gru, simpleRnn };

/** A graph of the layer alone; one direction begins with a state, and ends with all that it has. */
function optionsOf(golden: Golden): ModelOptions {
  const { kind, units, options, batchSize, shape, state, lengths } = golden;
  const whole = { returnSequences: true, returnState: true, initialState: true };
  const layer = LAYERS[kind](units, { ...options, ...(state && whole) });
  const inputs = [input('x', shape)];
  if (state) inputs.push(input('state', state.length / batchSize));
  if (lengths) inputs.push(input('lengths', 1));
  const y = apply(golden.bidirectional ? bidirectional(layer) : layer, inputs, 'cell');
  return { ...graph([y]), loss: null, batchSize, inputGradients: true };
}

type Arrays = Readonly<Record<string, Float32Array | Float64Array>>;

/** Sets the inputs, and returns the gradient of the loss by each output. */
function setInputs({ x, state, lengths }: Golden, inputs: Arrays): void {
  inputs.x!.set(x);
  if (state) inputs.state!.set(state);
  if (lengths) inputs.lengths!.set(lengths);
}

function expectNear(actual: Arrays, expected: Record<string, number[]>, tolerance: number): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    expect(actual[name]!.length, name).toBe(values.length);
    for (const [i, value] of values.entries())
      expect(Math.abs(actual[name]![i]! - value), `${name}[${i}]`).toBeLessThan(
        tolerance * (1 + Math.abs(value)),
      );
  }
}

const slopes = (gradient: Float32Array | Float64Array) => {
  for (let i = 0; i < gradient.length; i++) gradient[i] = Math.sin(i + 1);
};

describe.each(GOLDEN.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
  const { parameters, output, gradients, dx, dstate, lengths, batchSize } = golden;
  const expected = {
    output,
    ...gradients,
    dx,
    ...(dstate && { dstate }),
    ...(lengths && { dlengths: lengths.map(() => 0) }),
  };
  const named = (arrays: Arrays, prefix: string) =>
    Object.fromEntries(
      Object.entries(arrays).map(([name, values]) => [prefix + name.replace('cell.', ''), values]),
    );

  it('float64: what PyTorch computes, to 1e-9', () => {
    const network = new Network64(optionsOf(golden));
    for (const [name, values] of Object.entries(parameters))
      network.weights[`cell.${name}`]!.set(values);
    setInputs(golden, network.inputs);
    network.forward(true);
    const result = network.outputs.cell!.slice();
    slopes(network.outputGradients.cell!);
    network.backward();
    const actual = {
      output: result,
      ...named(network.gradients, ''),
      ...named(network.inputGradients, 'd'),
    };
    expectNear(actual, expected, 1e-9);
  });

  it('float32, shipped: the same to 2e-5', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, optionsOf(golden));
      for (const [name, values] of Object.entries(parameters))
        model.parameters[`cell.${name}`]!.value.data.set(values);
      setInputs(golden, model.inputs);
      model.forward({ training: true, count: batchSize });
      const result = model.outputs.cell!.slice();
      slopes(model.outputGradients.cell!);
      model.backward();
      const grads = Object.fromEntries(
        Object.entries(model.parameters).map(([name, { grad }]) => [name, grad.data]),
      );
      const actual = {
        output: result,
        ...named(grads, ''),
        ...named(model.inputGradients, 'd'),
      };
      expectNear(actual, expected, 2e-5);
    });
  });
});
