/** Reads the state entries that earlier versions wrote. */
import type { StateScalars } from './state-values';

/** AdaL's scalars, which earlier versions wrote for every optimizer. */
const ADAL_SCALARS = ['V', 'exponent', 'normMean'] as const;

/** Optimizers that kept a scalar of their own in AdaL's `V`, and the name it has now. */
const RENAMED_V: Readonly<Record<string, string | undefined>> = {
  nadam: 'momentumProduct',
  'schedule-free-adamw': 'lrSquareSum',
};

/**
 * Returns a state entry in today's form.
 *
 * Earlier versions wrote AdaL's `V`, `exponent` and `normMean` into the entries of every optimizer.
 * This function drops them, except for AdaL, and gives the value that NAdam and Schedule-Free AdamW
 * kept in `V` its own name. It returns entries of today's form as they are.
 *
 * @param algorithm the optimizer's name, such as `'nadam'`
 */
export function migrateStateScalars(algorithm: string, scalars: StateScalars): StateScalars {
  const isOld = ADAL_SCALARS.every((name) => Object.hasOwn(scalars, name));
  if (algorithm === 'adal' || !isOld) return scalars;
  const { V, exponent, normMean, ...kept } = scalars;
  const name = RENAMED_V[algorithm];
  return name === undefined ? kept : { ...kept, [name]: V };
}
