/** Checks that every schedule has to pass: its options and its steps. */
import { expect, it } from 'vitest';
import { ArgumentError } from '../../src';
import type { Schedule } from '../../src/schedules';

/** A test for each pair of wrong options and the message they give, and for wrong steps. */
export function refuses(
  build: (options: never) => Schedule,
  good: object,
  cases: [unknown, RegExp][],
): void {
  const name = Object.keys(good).join(', ');
  it.each([
    ...cases,
    [undefined, /^"options" expected an options object/],
    [{ ...good, other: 1 }, /^"options.other" expected one of/],
  ] as [unknown, RegExp][])(`refuses %o (good: ${name})`, (options, message) => {
    expect(() => build(options as never)).toThrow(message);
    expect(() => build(options as never)).toThrow(ArgumentError);
  });

  it.each([0, -1, 1.5, NaN, Infinity, '1', undefined])('refuses step %s', (step) => {
    expect(() => build(good as never)(step as number)).toThrow(/^"step" expected/);
  });

  it('leaves its options alone', () => {
    expect(() => build(Object.freeze({ ...good }) as never)(1)).not.toThrow();
  });
}
