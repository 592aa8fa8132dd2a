/** An optimizer with work for several threads. */
import { AdaL, type Runtime } from '../../src/index';

/** Elements enough for a dozen tasks a phase, so that every worker gets some. */
export const MANY = 200_000;

export function createLargeAdaL(runtime: Runtime): AdaL {
  return new AdaL(runtime, { w: { shape: [MANY] }, b: { shape: [100] } }, { weightDecay: 0.01 });
}
