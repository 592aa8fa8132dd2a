/** Derives an optimizer's options from `--optimizer`, `--preset`, `--schedule` and `--lr`. */
import { type OptimizerName, practical } from '../index';
import { constant, cosine, inverseSqrt, linear, oneCycle, type Schedule } from '../schedules';
import { UsageError } from './errors';
import type { Preset, ScheduleChoice } from './options';

export interface OptimizerSettings {
  readonly optimizer: OptimizerName;
  readonly preset: Preset;
  readonly schedule?: ScheduleChoice;
  readonly lr?: number;
}

/**
 * Returns the options of an optimizer. Presets exist only for AdaL; the other optimizers have their
 * own defaults. A schedule goes from --lr to 0 over the run and replaces that of the preset.
 */
export function optimizerOptions(
  settings: OptimizerSettings,
  totalSteps: number,
): Record<string, unknown> {
  const { optimizer, preset, schedule, lr } = settings;
  if (preset === 'practical' && optimizer !== 'adal')
    throw new UsageError('--preset', `restated with --optimizer ${optimizer}`, preset);
  if (schedule && lr === undefined)
    throw new UsageError('--lr', 'a learning rate with --schedule', 'nothing');
  const options =
    preset === 'practical' ? practical({ totalSteps, lr }) : lr === undefined ? {} : { lr };
  return {
    ...options,
    ...(schedule ? { lr: createSchedule(schedule, lr as number, totalSteps) } : {}),
    onNonFinite: 'skip',
  };
}

/** Tells whether the learning rate of a step depends on the number of steps. */
export function dependsOnLength({ preset, schedule }: OptimizerSettings): boolean {
  return schedule ? ['linear', 'cosine', 'one-cycle'].includes(schedule) : preset === 'practical';
}

function createSchedule(name: ScheduleChoice, lr: number, totalSteps: number): Schedule {
  switch (name) {
    case 'constant':
      return constant(lr);
    case 'linear':
      return linear({ lr, totalSteps });
    case 'cosine':
      return cosine({ lr, totalSteps });
    case 'one-cycle':
      return oneCycle({ maxLr: lr, totalSteps });
    case 'inverse-sqrt':
      return inverseSqrt({ lr });
  }
}
