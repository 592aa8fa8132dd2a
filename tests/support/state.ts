/** State dicts, as tests make and look at them. */
import type { StateArray, StateDict } from '../../src/index';

/** A state array that is plain float32. */
export function floatsOf(array: StateArray): Float32Array {
  if (!(array instanceof Float32Array)) throw new Error('a Float32Array was expected');
  return array;
}

/** A parameter's state arrays that are plain float32, by name. */
export function stateOf({ state }: StateDict, name: string): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(state[name].arrays).map(([key, array]) => [key, floatsOf(array)]),
  );
}

/**
 * Returns a state dict of one parameter, made by hand. Its entry has the counters of every
 * optimizer and, for AdaL, AdaL's own scalars.
 *
 * @param exponent of AdaL's moments
 */
export function dictOf(
  algorithm: string,
  shape: number[],
  arrays: Record<string, StateArray>,
  exponent = 0,
): StateDict {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  return {
    version: 1,
    algorithm,
    options: {},
    step: 1,
    groups: [{ params: ['w'], frozen: false, lr: 0.1, schedule: null, weightDecay: 0 }],
    params: { w: { shape, data } },
    state: {
      w: {
        step: 1,
        beta1Power: 5e-324,
        beta2Power: 1,
        ...(algorithm === 'adal' && { exponent, V: 0.1 + 0.2, normMean: 0 }),
        arrays,
      } as StateDict['state'][string],
    },
  };
}
