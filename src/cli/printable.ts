/**
 * Makes text from files and arguments safe to print: control characters, escape sequences and
 * characters that reorder or hide text are escaped, so that none of them reaches a terminal.
 */

/**
 * Control and format characters (including bidi controls), unpaired surrogates, line separators.
 */
const STEERING = /[\p{C}\p{Zl}\p{Zp}]/gu;
const STEERING_BUT_LINE_FEED = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;
/** The characters that JSON.stringify does not escape. */
const STEERING_IN_JSON = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns a name or a message on one line; escapes line feeds too. */
export function printable(text: string): string {
  return text.replace(STEERING, escapeCharacter);
}

/** Returns a text of several lines, such as a table; keeps line feeds. */
export function printableLines(text: string): string {
  return text.replace(STEERING_BUT_LINE_FEED, escapeCharacter);
}

/** Returns JSON that parses to the same value and is safe to print. */
export function printableJson(json: string): string {
  return json.replace(STEERING_IN_JSON, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** Returns at most `length` characters of a text, with an ellipsis in place of the rest. */
export function clipText(text: string, length: number): string {
  if (text.length <= length) return text;
  // Does not split a surrogate pair.
  const end = /[\uD800-\uDBFF]/.test(text[length - 1]) ? length - 1 : length;
  return `${text.slice(0, end)}…`;
}

/** Returns a value as messages quote it: short and on one line. */
export function quote(text: string): string {
  return printable(JSON.stringify(clipText(text, 60)));
}

function escapeCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
