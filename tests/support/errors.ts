/** Wrong arguments, and what comes of them. */
import { expect } from 'vitest';
import { AdalError, ArgumentError } from '../../src/index';

/** A value that the type checker would refuse. */
export const anyOf = (value: unknown) => value as never;

/** A Float32Array whose buffer has been given away. */
export function detached(length: number): Float32Array {
  const array = new Float32Array(length);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** What `body` throws. */
export function caught(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The same of a call that is awaited. */
export async function failure(body: () => unknown): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The error names the argument, what was expected, and what came. */
export function expectArgumentError(
  body: () => unknown,
  argument: string,
  ...parts: string[]
): void {
  const error = caught(body);
  expect(error, `no ArgumentError about ${argument}`).toBeInstanceOf(ArgumentError);
  expect(error).toBeInstanceOf(AdalError);
  expect(error).toMatchObject({ argument, code: 'ERR_ARGUMENT', name: 'ArgumentError' });
  const { message } = error as ArgumentError;
  expect(message.startsWith(`"${argument}" expected `), message).toBe(true);
  expect(message).toContain(', got ');
  for (const part of parts) expect(message).toContain(part);
}
