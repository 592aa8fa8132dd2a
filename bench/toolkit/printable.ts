/** Text that came from a file, a page or another process, as a terminal may show it. */

/** Control and format characters, unassigned ones and lone surrogates; line feeds stay. */
const UNPRINTABLE = /[^\P{C}\n]/gu;

/**
 * Replaces whatever could steer a terminal by its code point: `\u{1b}`. Applying it twice changes
 * nothing more.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
