/**
 * `averageStates`: the weighted mean of several models, for federated averaging and model soups.
 */
import { ArgumentError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import type { Runtime } from '../runtime/runtime';
import { checkFloats } from '../tensors/parameter';
import { Tensor } from '../tensors/tensor';
import { createRecord } from '../tensors/views';
import { checkNumber, checkRuntime, fail } from '../validate';

/** The part of a model's state dict that is averaged. */
export interface LearntArrays {
  readonly arrays: Readonly<Record<string, { readonly data: Float32Array }>>;
}

/**
 * A state that `averageStates` can average: parameters by name, the state dict of an optimizer, or
 * the state dict of a model, which includes running statistics.
 */
export type AverageableState = Readonly<Record<string, Float32Array>> | StateDict | LearntArrays;

/**
 * Computes the weighted mean of several models' parameters, element by element:
 *
 *     W ← W + w_i;  x̄ ← x̄ - (w_i/W)·(x̄ - x_i)     for states of positive weight, in order
 *
 * in float32, from x̄ = x of the first of them. The mean of equal states is exactly that state. The
 * mean overflows only if a difference does. Its bits depend on the states and their order alone.
 * States of weight 0 have no effect, even if they contain NaN. Of an optimizer's state dict the
 * parameters are averaged; those of Schedule-Free are its averaged weights.
 *
 * @param runtime runtime that computes the mean; it temporarily allocates twice the bytes of the
 * largest tensor
 * @param states at least one, all with the same names and sizes. For models with batch norm, pass
 * `model.stateDict()`: an optimizer's state dict has no running statistics
 * @param weights a weight in [0, ∞) for each state, not all 0, such as the number of samples that
 * the model was trained on; by default all 1
 * @returns new arrays by name, in the order of the first state
 * @throws ArgumentError naming the state and parameter that does not fit
 * @throws OutOfMemoryError if the temporary tensors do not fit in memory
 * @example
 * const mean = averageStates(runtime, [clientA.stateDict(), clientB.stateDict()], [600, 200]);
 * for (const name in mean) server.params[name].set(mean[name]);
 * @see McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks from Decentralized
 * Data"
 */
export function averageStates(
  runtime: Runtime,
  states: readonly AverageableState[],
  weights?: readonly number[],
): Record<string, Float32Array> {
  checkRuntime('runtime', runtime);
  const records = checkStates(runtime, states);
  const counted = checkWeights(weights, states.length);
  const lengths = Object.entries(records[0]).map(([name, { length }]) => ({ name, length }));
  const longest = lengths.reduce((most, { length }) => Math.max(most, length), 0);
  const scratch: Tensor[] = [];
  try {
    for (let i = 0; i < 2; i++) scratch.push(new Tensor(runtime, [longest]));
    const means = createRecord<Float32Array>();
    for (const { name, length } of lengths) {
      // Reads each array again: a view of the runtime's memory ends when that grows, and a record
      // of live views then returns a new one.
      const read = (index: number) =>
        checkFloats(`states[${index}].${name}`, records[index][name], runtime, length);
      means[name] = averageColumn(scratch, length, counted, read);
    }
    return means;
  } finally {
    for (const tensor of scratch) tensor.dispose();
  }
}

/** A state of positive weight. */
interface Weighted {
  readonly index: number;
  readonly weight: number;
}

/**
 * Averages one parameter.
 * @param scratch two tensors of at least `length` elements
 */
function averageColumn(
  [mean, next]: readonly Tensor[],
  length: number,
  [first, ...others]: readonly Weighted[],
  read: (index: number) => Float32Array,
): Float32Array {
  mean.data.set(read(first.index));
  let total = first.weight;
  for (const { index, weight } of others) {
    total += weight;
    next.data.set(read(index));
    mean.runtime.kernels.combine(
      mean.address,
      mean.address,
      next.address,
      length,
      1,
      weight / total,
    );
  }
  return mean.data.slice(0, length);
}

type Arrays = Readonly<Record<string, Float32Array>>;

/** Returns the parameters of all states, which must have the names and sizes of the first. */
function checkStates(runtime: Runtime, states: readonly AverageableState[]): Arrays[] {
  if (!Array.isArray(states) || states.length === 0)
    fail('states', 'an array of at least one state', states);
  const records = states.map((state, index) => parametersOf(`states[${index}]`, state));
  const [first] = records;
  if (Object.keys(first).length === 0) fail('states[0]', 'at least one parameter', first);
  for (const [index, record] of records.entries()) {
    for (const name of Object.keys(record)) {
      if (!Object.hasOwn(first, name))
        throw new ArgumentError(`states[${index}].${name}`, 'a name of states[0]', 'another');
    }
    for (const name of Object.keys(first)) {
      const path = `states[${index}].${name}`;
      if (!Object.hasOwn(record, name))
        throw new ArgumentError(path, 'an entry for every name of states[0]', 'nothing');
      checkFloats(path, record[name], runtime, index > 0 ? first[name].length : undefined);
    }
  }
  return records;
}

function parametersOf(path: string, state: AverageableState): Arrays {
  if (
    typeof state !== 'object' ||
    state === null ||
    Array.isArray(state) ||
    ArrayBuffer.isView(state)
  ) {
    fail(path, 'an object of Float32Arrays by name, or a state dict', state);
  }
  const named = namedArrays(state);
  if (!named) return state as Arrays;
  const record = createRecord<Float32Array>();
  for (const [name, parameter] of Object.entries(named)) record[name] = parameter?.data;
  return record;
}

/**
 * Returns the arrays of a state dict; null for a record of arrays, one of which may be `params`.
 */
function namedArrays(
  state: AverageableState,
): Readonly<Record<string, { readonly data: Float32Array }>> | null {
  const { params, arrays } = state as Partial<StateDict & LearntArrays>;
  const found = params ?? arrays;
  return typeof found === 'object' && found !== null && !ArrayBuffer.isView(found) ? found : null;
}

/** Checks the weights and returns the states of positive weight, in order. */
function checkWeights(weights: readonly number[] | undefined, count: number): Weighted[] {
  if (weights === undefined)
    return Array.from({ length: count }, (_, index) => ({ index, weight: 1 }));
  if (!Array.isArray(weights) || weights.length !== count)
    fail('weights', `an array of ${count} numbers`, weights);
  for (const [index, weight] of weights.entries())
    checkNumber(`weights[${index}]`, weight, '[0, ∞)', (x) => x >= 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0 && total < Infinity)) fail('weights', 'numbers whose sum is in (0, ∞)', weights);
  return weights.map((weight, index) => ({ index, weight })).filter(({ weight }) => weight > 0);
}
