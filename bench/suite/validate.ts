/**
 * Parses results. Text that is not a whole, valid result is refused with the place and the reason.
 */

import { AdalError } from 'adal-wasm';
import { Ajv, type ErrorObject } from 'ajv';
import { unknownReference } from '../schema/references';
import type { Result } from '../schema/result';
import schema from '../schema/result.schema.json';
import { printable } from '../toolkit/printable';
import { nestingOf } from './nesting';
import { SCHEMA_VERSION } from './result';

const check = new Ajv({ allErrors: false, strict: false, useDefaults: true }).compile(schema);

/** Beyond it a message is cut: names in a result may be of any length. */
const MOST_MESSAGE = 1000;

/**
 * A result that is broken, or does not belong to others. Its message may be printed: what could
 * steer a terminal is written out.
 */
export class ResultError extends AdalError {
  constructor(message: string) {
    super(
      'RESULT',
      printable(message.length > MOST_MESSAGE ? `${message.slice(0, MOST_MESSAGE)}…` : message),
    );
  }
}

/** Levels of arrays and objects that a result may have; a valid one has fewer than ten. */
const MOST_NESTING = 32;

/**
 * What a file leaves out because it is the schema's default is in the result.
 * @param name of the file, for errors
 * @throws ResultError for text that is no JSON (a truncated file) or nested too deeply, another
 * schema version, anything the schema does not allow, or
 *   an entry that names what the file does not describe
 */
export function parseResult(text: string, name: string): Result {
  if (nestingOf(text) > MOST_NESTING) {
    throw new ResultError(
      `${name}: a result may be nested ${MOST_NESTING} levels deep, this one is nested deeper`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ResultError(`${name}: no JSON, or not all of it (${(error as Error).message})`);
  }
  const { schemaVersion } = (value ?? {}) as { schemaVersion?: unknown };
  if (schemaVersion !== SCHEMA_VERSION) {
    throw new ResultError(
      `${name}: "schemaVersion" expected ${SCHEMA_VERSION}, got ${JSON.stringify(schemaVersion)}`,
    );
  }
  if (!check(value)) throw new ResultError(`${name}: ${explain(check.errors![0])}`);
  const result = value as unknown as Result;
  const unknown = unknownReference(result);
  if (unknown) throw new ResultError(`${name}: ${unknown}`);
  checkSeeds(result, name);
  return result;
}

/** Final runs of one optimizer on one workload, which are compared pair by pair. */
const MOST_SEEDS = 1000;

/** @throws ResultError for more runs of a kind than their statistics are made for */
export function checkSeeds({ training }: Result, name: string): void {
  const counts = new Map<string, number>();
  for (const { workload, optimizer, track, schedule } of training.runs) {
    const key = JSON.stringify([workload, optimizer, track, track === 'T0' ? '' : schedule]);
    const count = (counts.get(key) ?? 0) + 1;
    if (count > MOST_SEEDS) {
      throw new ResultError(
        `${name}: more than ${MOST_SEEDS} runs of ${optimizer} on ${workload}, track ${track}`,
      );
    }
    counts.set(key, count);
  }
}

function explain({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath || 'the result'} ${message} ${JSON.stringify(params)}`;
}
