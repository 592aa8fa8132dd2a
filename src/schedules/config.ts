/** Building schedules from their configs, which are untrusted. */
import { ArgumentError } from '../errors';
import { checkChoice, checkOptions, fail } from '../validate';
import { constant } from './constant';
import { cosine } from './cosine';
import { cosineWithRestarts } from './cosine-with-restarts';
import { exponential } from './exponential';
import { inverseSqrt } from './inverse-sqrt';
import { join } from './join';
import { linear } from './linear';
import { multiply } from './multiply';
import { oneCycle } from './one-cycle';
import { polynomial } from './polynomial';
import { reduceOnPlateau } from './reduce-on-plateau';
import type { ConfiguredSchedule, ScheduleConfig } from './schedule';
import { stepDecay } from './step-decay';
import { type WarmupOptions, warmup } from './warmup';

type Options = Readonly<Record<string, unknown>>;
/** Builds the schedule of a config at a path inside another config. */
type Nested = (path: string, config: unknown) => ConfiguredSchedule;
/** Builds a schedule and checks its options, whose type is not known here. */
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
  multiply: buildMultiply,
  reduceOnPlateau,
} satisfies Record<string, Builder>;

/** Deeper configs could exhaust the stack. */
const MAX_DEPTH = 64;

/** Name of a schedule: the name of the function that creates it. */
export type ScheduleName = keyof typeof BUILDERS;

/** Returns the names that `scheduleFromConfig` accepts. */
export function scheduleNames(): ScheduleName[] {
  return Object.keys(BUILDERS) as ScheduleName[];
}

/**
 * Builds the schedule that a config describes. It has the same values as the schedule with that
 * `config`, bit for bit. The config does not include state: restore that with `loadStateDict`.
 *
 * @param config `{ name, ...options }`, such as `schedule.config`; missing options have their
 *   defaults
 * @throws ArgumentError for an unknown name, and for options that the schedule's function refuses
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
  // It has a config, since its part has one.
  return warmup({ ...options, schedule }) as ConfiguredSchedule;
}

function buildJoin(options: Options, nested: Nested, path: string): ConfiguredSchedule {
  checkOptions('options', options, ['schedules', 'boundaries']);
  const { schedules, boundaries } = options;
  const parts = buildAll(schedules, nested, `${path}.schedules`);
  return join(parts, boundaries as number[]) as ConfiguredSchedule; // as in buildWarmup
}

function buildMultiply(options: Options, nested: Nested, path: string): ConfiguredSchedule {
  checkOptions('options', options, ['factors']);
  const factors = buildAll(options.factors, nested, `${path}.factors`);
  return multiply(...factors) as ConfiguredSchedule; // as in buildWarmup
}

function buildAll(configs: unknown, nested: Nested, path: string): ConfiguredSchedule[] {
  if (!Array.isArray(configs)) fail(path, 'an array of configs', configs);
  return Array.from(configs, (config: unknown, index) => nested(`${path}[${index}]`, config));
}
