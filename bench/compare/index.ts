/** Compares two results: what changed between them, beyond their noise. */
import type { Result } from '../schema/result';
import { ResultError } from '../suite/validate';
import { compareBits } from './bits';
import type { Comparison, EnvironmentPair, Side } from './comparison';
import { pairEnvironments, pairSingleEnvironments } from './environments';
import { isSuiteResult, type SingleRecord } from './read-result';
import { speedsOfSingle } from './single-speeds';
import { compareSpeeds } from './speeds';
import { compareStudies } from './studies';
import { speedsOfSuite } from './suite-speeds';

export type { Comparison } from './comparison';
export { readResult } from './read-result';

/** A result with the name of its file. */
export interface NamedResult<T = Result | SingleRecord> {
  readonly name: string;
  readonly result: T;
}

export interface CompareOptions {
  /** Probability that an interval covers the true value, in (0, 1). @default 0.95 */
  readonly level?: number;
}

/**
 * Compares two results of the suite, or two of the same single benchmark.
 *
 * Training is compared seed by seed: the median difference of the workload's metric with its
 * bootstrap interval, and the hashes of the final weights. Speeds are compared by the ratio of
 * medians with its interval; a change counts when the interval excludes 1 and the ratio is further
 * from 1 than 3%, and than the machine's own speed moved, which rows show that do not run the
 * library.
 *
 * @throws ResultError when the results are not of the same benchmark
 * @example
 * const { speeds } = compareResults({ name: 'a', result: readResult('a.json') }, b);
 * speeds.filter(({ verdict }) => verdict === 'slower');
 */
export function compareResults(
  a: NamedResult,
  b: NamedResult,
  { level = 0.95 }: CompareOptions = {},
): Comparison {
  if (isSuiteResult(a.result) && isSuiteResult(b.result))
    return compareSuites({ ...a, result: a.result }, { ...b, result: b.result }, level);
  if (!isSuiteResult(a.result) && !isSuiteResult(b.result) && sameBenchmark(a.result, b.result))
    return compareSingles({ ...a, result: a.result }, { ...b, result: b.result }, level);
  const [kindA, kindB] = [a.result, b.result].map((result) =>
    isSuiteResult(result) ? 'the suite' : `bench:${result.benchmark}`,
  );
  throw new ResultError(`${b.name}: expected a result of ${kindA} as ${a.name} is, got ${kindB}`);
}

const sameBenchmark = (a: SingleRecord, b: SingleRecord): boolean => a.benchmark === b.benchmark;

function compareSuites(a: NamedResult<Result>, b: NamedResult<Result>, level: number): Comparison {
  const environments = pairEnvironments(a.result.environments, b.result.environments);
  const { studies, ...study } = compareStudies(a.result, b.result, level);
  const bits = compareBits(a.result, b.result, environments);
  const speeds = compareSpeeds(
    speedsOfSuite(a.result),
    speedsOfSuite(b.result),
    environments,
    level,
  );
  const unpaired = (result: Result, side: 'a' | 'b'): string[] =>
    result.environments
      .filter(({ id }) => !environments.some((pair) => pair[side] === id))
      .map(({ id }) => `environment ${id}, with all that was measured there`);
  return completed({
    a: sideOfSuite(a),
    b: sideOfSuite(b),
    level,
    warnings: [
      ...suiteWarnings(a.result, b.result),
      ...study.warnings,
      ...machineWarnings(environments),
    ],
    environments,
    studies,
    bits: { compared: bits.compared, changes: bits.changes },
    margins: speeds.margins,
    speeds: speeds.speeds,
    onlyA: [...unpaired(a.result, 'a'), ...study.onlyA, ...bits.onlyA, ...speeds.onlyA],
    onlyB: [...unpaired(b.result, 'b'), ...study.onlyB, ...bits.onlyB, ...speeds.onlyB],
  });
}

function compareSingles(
  a: NamedResult<SingleRecord>,
  b: NamedResult<SingleRecord>,
  level: number,
): Comparison {
  const pair = pairSingleEnvironments(a.result.environment, b.result.environment);
  const speeds = compareSpeeds(
    speedsOfSingle(a.result, a.name),
    speedsOfSingle(b.result, b.name),
    [pair],
    level,
  );
  return completed({
    a: sideOfSingle(a),
    b: sideOfSingle(b),
    level,
    warnings: machineWarnings([pair]),
    environments: [pair],
    studies: [],
    bits: { compared: 0, changes: [] },
    ...speeds,
  });
}

const sideOfSuite = ({ name, result }: NamedResult<Result>): Side => ({
  name,
  benchmark: 'suite',
  date: result.date.slice(0, 10),
  version: result.package.version,
  commit: result.package.commit,
});

const sideOfSingle = ({ name, result }: NamedResult<SingleRecord>): Side => ({
  name,
  benchmark: result.benchmark,
  date: result.environment.date,
  version: null,
  commit: result.environment.commit ?? null,
});

function suiteWarnings(a: Result, b: Result): string[] {
  const warnings: string[] = [];
  if (a.suiteVersion !== b.suiteVersion) {
    const versions = `${a.suiteVersion} → ${b.suiteVersion}`;
    warnings.push(`The suite changed (version ${versions}): figures may differ for that reason.`);
  }
  if (a.tier !== b.tier)
    warnings.push(`The tiers differ (${a.tier} → ${b.tier}): runs may differ in length.`);
  for (const [side, { complete }] of Object.entries({ A: a, B: b }))
    if (!complete) warnings.push(`${side} is incomplete: jobs of its plan are missing.`);
  return warnings;
}

function machineWarnings(environments: readonly EnvironmentPair[]): string[] {
  const others = environments.filter(({ differences }) =>
    differences.some(({ field }) => ['cpu', 'cores', 'os', 'arch', 'platform'].includes(field)),
  );
  return others.length === 0
    ? []
    : ['The machines differ: ratios of speeds compare machines as well as code.'];
}

function completed(comparison: Omit<Comparison, 'changed'>): Comparison {
  const { studies, bits, speeds, onlyA } = comparison;
  const changed =
    onlyA.length > 0 ||
    bits.changes.length > 0 ||
    studies.some(
      ({ verdict, hashes }) => verdict === 'better' || verdict === 'worse' || hashes.changed > 0,
    ) ||
    speeds.some(({ verdict, anchor }) => !anchor && (verdict === 'faster' || verdict === 'slower'));
  return { ...comparison, changed };
}
