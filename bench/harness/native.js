/**
 * The native yardstick: a C program (the scaled rule's inner loop) where a compiler and its source
 * are present. It is no part of the package: it says how far WASM is from the machine.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = new URL('../../../shared/native/adal.c', import.meta.url).pathname;
const FLAGS = ['-O3', '-fno-math-errno', '-fno-trapping-math', '-ffp-contract=off'];
const WIDTHS = { native: '-march=native', native128: '-msse4.2' };

/**
 * Compiles the yardstick in both widths; a function for each that runs it: [{n, norm, update, step,
 * triad}], ns a parameter.
 */
export function compileNative() {
  if (!existsSync(SOURCE)) return { reason: 'no yardstick source beside the project' };
  const folder = mkdtempSync(join(tmpdir(), 'adal-native-'));
  try {
    const runs = {};
    for (const [name, flag] of Object.entries(WIDTHS)) {
      const program = join(folder, name);
      execFileSync('gcc', [...FLAGS, flag, SOURCE, '-o', program, '-lm'], { stdio: 'pipe' });
      runs[name] = () =>
        execFileSync(program, { encoding: 'utf8' })
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
    }
    return { runs };
  } catch (error) {
    return { reason: `the yardstick cannot be compiled here: ${error.message.split('\n')[0]}` };
  }
}
