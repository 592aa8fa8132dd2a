/**
 * From a config back to the schedule: what checkpoints and the command line need. The config is not
 * trusted.
 */
import { ArgumentError } from '../errors';
import { checkChoice, checkOptions, fail } from '../validate';
import { constant } from './constant';
import { cosine } from './cosine';
import { cosineWithRestarts } from './cosine-with-restarts';
import { exponential } from './exponential';
import { inverseSqrt } from './inverse-sqrt';
import { join } from './join';
import { linear } from './linear';
import { oneCycle } from './one-cycle';
import { polynomial } from './polynomial';
import { reduceOnPlateau } from './reduce-on-plateau';
import type { ConfiguredSchedule, ScheduleConfig } from './schedule';
import { stepDecay } from './step-decay';
import { type WarmupOptions, warmup } from './warmup';

type Options = Readonly<Record<string, unknown>>;
/** Builds the schedule of a config found inside another, at a path. */
type Nested = (path: string, config: unknown) => ConfiguredSchedule;
/** Checks what options it is given: `as never` hands it any. */
type Builder = (options: never, nested: Nested, path: string) => ConfiguredSchedule;

const BUILDERS = {
  constant: buildConstant,
  linear,
  cosine,
  cosineWithRestarts,
  oneCycle,
  exponential,
  stepDecay,
  polynomial,
  inverseSqrt,
  warmup: buildWarmup,
  join: buildJoin,
  reduceOnPlateau,
} satisfies Record<string, Builder>;

/** Deeper configs are refused before they can exhaust the stack. */
const MAX_DEPTH = 64;

/** The name of a schedule, which is its function's. */
export type ScheduleName = keyof typeof BUILDERS;

/** The names `scheduleFromConfig` knows. */
export function scheduleNames(): ScheduleName[] {
  return Object.keys(BUILDERS) as ScheduleName[];
}

/**
 * Builds the schedule that a config describes; it has the values of the schedule whose `config`
 * that is, bit for bit. State, where there is any, is not in the config: load it with
 * `loadStateDict`.
 *
 * @param config `{ name, ...options }`, as `schedule.config` is and JSON.parse gives it; options
 * left out have their defaults
 * @throws ArgumentError for an unknown name, and whatever the schedule's own function refuses
 * @example
 * const config = JSON.parse(JSON.stringify(cosine({ lr: 0.01, totalSteps: 100 }).config));
 * scheduleFromConfig(config)(51); // 0.005
 */
export function scheduleFromConfig(config: ScheduleConfig): ConfiguredSchedule {
  return build('config', config, 1);
}

function build(path: string, config: unknown, depth: number): ConfiguredSchedule {
  if (depth > MAX_DEPTH)
    throw new ArgumentError(path, `configs nested at most ${MAX_DEPTH} deep`, 'a deeper one');
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    fail(path, 'the config of a schedule', config);
  const { name, ...options } = config as Options;
  const builder: Builder = BUILDERS[checkChoice(`${path}.name`, name, scheduleNames())];
  return builder(options as never, (inner, given) => build(inner, given, depth + 1), path);
}

function buildConstant(options: { lr: number }): ConfiguredSchedule {
  checkOptions('options', options, ['lr']);
  return constant(options.lr);
}

function buildWarmup(options: WarmupOptions, nested: Nested, path: string): ConfiguredSchedule {
  const schedule = nested(`${path}.schedule`, options.schedule);
  // it has a config, since what it is made of has
  return warmup({ ...options, schedule }) as ConfiguredSchedule;
}

function buildJoin(options: Options, nested: Nested, path: string): ConfiguredSchedule {
  checkOptions('options', options, ['schedules', 'boundaries']);
  const { schedules, boundaries } = options;
  if (!Array.isArray(schedules)) fail(`${path}.schedules`, 'an array of configs', schedules);
  const parts = Array.from(schedules, (config: unknown, index) =>
    nested(`${path}.schedules[${index}]`, config),
  );
  return join(parts, boundaries as number[]) as ConfiguredSchedule; // as above
}
