/**
 * Elementary functions and random numbers that have the same bits on every engine, for data and
 * losses of your own: `Math.exp` and similar functions may differ between engines in the last bit.
 *
 * @module adal-wasm/math
 */
export { cos, sin, TRIG_RANGE } from './cos';
export { exp } from './exp';
export { log } from './log';
export { pow } from './pow';
export { Prng } from './prng';
