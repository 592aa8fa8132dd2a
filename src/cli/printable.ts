/**
 * Text that came from a file or an argument, made harmless: control characters, escape sequences
 * and the characters that reorder or hide text are written out, so that none of them reaches a
 * terminal.
 */

/**
 * Control and format characters (bidi controls among them), lone surrogates, and line separators.
 */
const STEERING = /[\p{C}\p{Zl}\p{Zp}]/gu;
const STEERING_BUT_LINE_FEED = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;
/** The same characters as UTF-16 code units, where JSON.stringify leaves them as they are. */
const STEERING_IN_JSON = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns a name or a message on one line: line feeds are written out as well. */
export function printable(text: string): string {
  return text.replace(STEERING, escapeCharacter);
}

/** Returns a text of several lines, such as a table whose cells are printable already. */
export function printableLines(text: string): string {
  return text.replace(STEERING_BUT_LINE_FEED, escapeCharacter);
}

/** Returns JSON that parses to the same value and that a terminal can show. */
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
  // A pair of surrogates is not cut in two.
  const end = /[\uD800-\uDBFF]/.test(text[length - 1]) ? length - 1 : length;
  return `${text.slice(0, end)}…`;
}

/** Returns a value as a message quotes it: on one line, and short. */
export function quote(text: string): string {
  return printable(JSON.stringify(clipText(text, 60)));
}

function escapeCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
