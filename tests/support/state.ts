/** State arrays of state dicts, as tests look at them. */
import type { StateArray, StateDict } from '../../src/index';

/** A state array that is plain float32. */
export function floatsOf(array: StateArray): Float32Array {
  if (!(array instanceof Float32Array)) throw new Error('a Float32Array was expected');
  return array;
}

/** A parameter's state arrays that are plain float32, by name. */
export function stateOf({ state }: StateDict, name: string): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(state[name].arrays).map(([key, array]) => [key, floatsOf(array)]));
}
