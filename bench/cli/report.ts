/** `adal-bench report`: reads results, merges them, and writes reports by the files' extensions. */
import { extname } from 'node:path';
import { ArgumentError } from 'adal-wasm';
import { renderCsv, renderMarkdown, renderReport } from '../report';
import { stringifyResult } from '../schema/compact';
import type { Result } from '../schema/result';
import { mergeFiles } from '../suite/merge';
import { readResultText } from '../suite/result-text';
import { printable } from '../toolkit/printable';
import { replaceText } from '../toolkit/replace-text';

const FORMATS: Record<string, (result: Result) => string> = {
  '.html': renderReport,
  '.md': renderMarkdown,
  '.csv': renderCsv,
  '.json': (result) => `${stringifyResult(result)}\n`,
};

/**
 * Merges results and writes reports of them. A file that is replaced is replaced whole.
 * @param results files of one study
 * @param out files to write; by default one beside the first result
 * @throws ResultError when a result is broken or they do not belong together, ArgumentError for
 * other extensions: nothing is written then
 */
export function report(
  results: readonly string[],
  out: readonly string[] = [beside(results[0]!)],
): void {
  for (const [i, file] of out.entries()) {
    if (!(extname(file) in FORMATS))
      throw new ArgumentError(
        `out[${i}]`,
        `a file ending in ${Object.keys(FORMATS).join(', ')}`,
        file,
      );
  }
  const result = mergeFiles(results, readResultText);
  const texts = out.map((file) => FORMATS[extname(file)]!(result));
  for (const [i, file] of out.entries()) {
    replaceText(file, texts[i]!);
    console.log(printable(file));
  }
}

function beside(result: string): string {
  const extension = extname(result);
  return `${extension ? result.slice(0, -extension.length) : result}.html`;
}
