/**
 * Validates the messages of pages and child processes, which are other programs. A message says one
 * thing, and its entry must conform to the schema of results.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import schema from '../../schema/result.schema.json';
import { nestingOf } from '../nesting';
import { type Entry, type EntryType, LISTS } from '../result';

/** An entry, or the end of the job: `done`, or the error that it failed with. */
export type Message =
  | { readonly entry: Entry; readonly done?: undefined; readonly error?: undefined }
  | { readonly done: true; readonly entry?: undefined; readonly error?: undefined }
  | { readonly error: string; readonly entry?: undefined; readonly done?: undefined };

/** Of a message: an entry has about six levels. */
const MOST_NESTING = 32;

const ajv = new Ajv({ allErrors: false, strict: false, useDefaults: true }).addSchema(
  schema,
  'result',
);
const validators = new Map<EntryType, ValidateFunction>();

function validatorOf(type: EntryType): ValidateFunction {
  let validate = validators.get(type);
  if (!validate) {
    // The schema calls what a list holds by the same names.
    validate = ajv.compile({ $ref: `result#/definitions/${type}` });
    validators.set(type, validate);
  }
  return validate;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads one message.
 * @returns the message, or a sentence that says what is wrong with the text
 */
export function parseMessage(text: string): Message | string {
  if (nestingOf(text) > MOST_NESTING)
    return `a message may be nested ${MOST_NESTING} levels deep, this one is nested deeper`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `a message must be JSON: ${(error as Error).message}`;
  }
  return checkMessage(value);
}

function checkMessage(value: unknown): Message | string {
  if (!isRecord(value) || Object.keys(value).length !== 1) {
    return 'a message must be an object with one of "entry", "done" and "error"';
  }
  const { entry, done, error } = value;
  if (done === true) return { done };
  if (typeof error === 'string') return { error };
  if (!isRecord(entry)) return 'a message must have an entry, "done": true, or an error as text';
  const { type, value: content } = entry;
  if (typeof type !== 'string' || !Object.hasOwn(LISTS, type)) {
    return `the type of an entry must be one of ${Object.keys(LISTS).join(', ')}`;
  }
  const validate = validatorOf(type as EntryType);
  if (!validate(content)) {
    const [{ instancePath, message, params }] = validate.errors!;
    return `the ${type} is not valid: ${instancePath || 'it'} ${message} ${JSON.stringify(params)}`;
  }
  return { entry: { type, value: content } as Entry };
}
