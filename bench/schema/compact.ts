/**
 * Serializes a result. Runs are many and mostly alike, so fields that equal their default in the
 * schema are left out; the parser restores them.
 */
import type { Result, Run } from './result';
import schema from './result.schema.json';

type Properties = Readonly<Record<string, object>>;

const { run, figures } = schema.definitions;

const defaultsOf = (properties: Properties): Map<string, unknown> =>
  new Map(
    Object.entries(properties).flatMap(([name, property]) =>
      'default' in property ? [[name, property.default] as const] : [],
    ),
  );

const RUN = defaultsOf(run.properties);
const BEST = defaultsOf(run.properties.best.properties);
const FIGURES = defaultsOf(figures.properties);

/** Defaults are scalars, or an object without fields. */
function isDefault(value: unknown, byDefault: unknown): boolean {
  if (typeof byDefault !== 'object' || byDefault === null) return value === byDefault;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function without(defaults: ReadonlyMap<string, unknown>, value: object): object {
  return Object.fromEntries(
    Object.entries(value).filter(
      ([name, each]) => !(defaults.has(name) && isDefault(each, defaults.get(name))),
    ),
  );
}

function compactRun({ final, best, ...rest }: Run): object {
  const compactBest = { ...without(BEST, best), figures: without(FIGURES, best.figures) };
  return { ...without(RUN, rest), final: without(FIGURES, final), best: compactBest };
}

/** JSON without spaces, which the schema takes and `parseResult` reads as it was. */
export function stringifyResult(result: Result): string {
  const { training } = result;
  return JSON.stringify({
    ...result,
    training: { ...training, runs: training.runs.map(compactRun) },
  });
}
