/** Types, schema and examples of results agree. */
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { expect, it } from 'vitest';
import { renderReport } from '../../bench/report';
import example from '../../bench/schema/example.json';
import { unknownReference } from '../../bench/schema/references';
import type { Result } from '../../bench/schema/result';
import schema from '../../bench/schema/result.schema.json';
import { syntheticResult } from './synthetic-result';

const result = syntheticResult();

it('types, schema and the made-up result agree', () => {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);
  for (const each of [result, example])
    expect(validate(each), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
});

it('the example of the schema makes a report', () => {
  const shown = renderReport(example as unknown as Result);
  expect(shown).toContain('TensorFlow.js needs code generation');
  expect(readFileSync('bench/schema/example.json', 'utf8').length).toBeLessThan(shown.length);
});

it('references are found wherever they stand', () => {
  expect(unknownReference(result)).toBeNull();
  for (const list of ['micro', 'hashes', 'coldStart', 'threadScaling', 'streams'] as const) {
    const strayed = { ...result, [list]: [{ ...result[list][0], environment: 'nowhere' }] };
    expect(unknownReference(strayed)).toBe(`/${list}/0: no environment "nowhere" in this result`);
  }
});
