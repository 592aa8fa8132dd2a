/** Which environments of two results belong together, and how they differ. */
import type { Environment } from '../schema/result';
import type { SingleEnvironment } from '../toolkit/single-result';
import type { EnvironmentPair, FieldDifference } from './comparison';

/** Fields that say what was measured on. Dates and clocks differ from run to run. */
const FIELDS = [
  'version',
  'engine',
  'os',
  'arch',
  'cpu',
  'cores',
  'memoryBytes',
  'isolated',
  'backend',
  'threads',
  'threadsReason',
] as const;
const SINGLE_FIELDS = ['runtime', 'engine', 'cpu', 'platform'] as const;

function differencesOf<T extends object>(
  a: T,
  b: T,
  fields: readonly (keyof T & string)[],
): FieldDifference[] {
  return fields
    .filter((field) => a[field] !== b[field])
    .map((field) => ({ field, a: a[field], b: b[field] }));
}

/** From the strictest on: what environments have in common that belong together. */
const CRITERIA: readonly ((environment: Environment) => string)[] = [
  ({ id }) => id,
  ({ runtime, version }) => `${runtime} ${version}`,
  ({ runtime, version }) => `${runtime} ${version.split('.')[0]}`,
  ({ runtime }) => runtime,
];

/**
 * Pairs environments: those with the same id, then of what is left those of the same runtime and
 * version, major version, or runtime, wherever there is one on either side.
 */
export function pairEnvironments(
  a: readonly Environment[],
  b: readonly Environment[],
): EnvironmentPair[] {
  const pairs: [Environment, Environment][] = [];
  let [restA, restB] = [[...a], [...b]];
  for (const criterion of CRITERIA) {
    for (const first of restA) {
      const key = criterion(first);
      const alike = (each: Environment): boolean => criterion(each) === key;
      const [second, another] = restB.filter(alike);
      if (second && !another && restA.filter(alike).length === 1) pairs.push([first, second]);
    }
    restA = restA.filter((each) => !pairs.some(([first]) => first === each));
    restB = restB.filter((each) => !pairs.some(([, second]) => second === each));
  }
  return pairs.map(([first, second]) => ({
    a: first.id,
    b: second.id,
    differences: differencesOf(first, second, FIELDS),
  }));
}

/** Pairs the environments of two single benchmarks. */
export function pairSingleEnvironments(
  a: SingleEnvironment,
  b: SingleEnvironment,
): EnvironmentPair {
  return { a: a.runtime, b: b.runtime, differences: differencesOf(a, b, SINGLE_FIELDS) };
}
