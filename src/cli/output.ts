/** All output of the command line. It is made safe for terminals. */
import { printableLines } from './printable';

/** Writes lines to stdout. */
export function print(text: string): void {
  console.log(printableLines(text));
}

/** Writes lines to stderr: progress, notes, warnings, errors. */
export function tell(text: string): void {
  console.error(printableLines(text));
}
