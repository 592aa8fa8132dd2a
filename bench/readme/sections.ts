/** The README's sections that are made of benchmark results, whichever benchmark made them. */
import { ArgumentError } from 'adal-wasm';
import { type OptimizersResult, optimizersSection } from '../micro/optimizers-result';
import { readmeTables } from '../report/readme';
import type { Result } from '../schema/result';
import { benchPath } from '../toolkit/bench-folder';
import { trainSection } from '../train/readme-section';
import type { TrainResult } from '../train/result';

/** Path of the README that has the sections. */
export const README = benchPath('../README.md');

/**
 * Returns the sections that a result gives, by name.
 * @param result of the suite (checked against the schema), of bench:optimizers or bench:train
 * @throws ArgumentError for results of other benchmarks, which the README does not show
 */
export function sectionsOf(result: object): Map<string, string> {
  if ('schemaVersion' in result) return readmeTables(result as Result);
  if ('measured' in result) return new Map([['train', trainSection(result as TrainResult)]]);
  if ('optimizers' in result)
    return new Map([['optimizers', optimizersSection(result as OptimizersResult)]]);
  throw new ArgumentError(
    'result',
    'a result of bench, bench:optimizers or bench:train',
    'another',
  );
}
