/**
 * Measures how deeply JSON text is nested before it is parsed, because a recursive walk through a
 * deep value overflows the stack.
 */

const [QUOTE, BACKSLASH] = [34, 92];

/**
 * The deepest level of arrays and objects in JSON text; text that is no JSON gets some number.
 * Reads the text once.
 */
export function nestingOf(text: string): number {
  let level = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) quoted = false;
    } else if (code === QUOTE) quoted = true;
    // '[' is 91 and '{' 123; ']' and '}' follow two later.
    else if (code === 91 || code === 123) deepest = Math.max(deepest, ++level);
    else if (code === 93 || code === 125) level--;
  }
  return deepest;
}
