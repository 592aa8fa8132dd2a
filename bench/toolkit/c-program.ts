/** Compiles C programs that serve as native yardsticks, where a compiler is present. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A compiled program, or the reason why there is none. */
export type CProgram =
  | { readonly program: string; readonly flags: string; readonly reason?: undefined }
  | { readonly program?: undefined; readonly flags?: undefined; readonly reason: string };

const COMPILERS = [process.env.CC, 'cc', 'gcc', 'clang'].filter((name) => name !== undefined);

/** Compiled programs in a temporary folder. */
export interface CFolder {
  /** Compiles a source file with the first compiler that can. */
  compile(source: string, name: string, flags: readonly string[]): CProgram;
  /** Deletes the folder and all programs in it. */
  remove(): void;
}

/** Creates a temporary folder for compiled programs. */
export function createCFolder(): CFolder {
  const folder = mkdtempSync(join(tmpdir(), 'adal-bench-c-'));
  return {
    compile(source, name, flags) {
      const program = join(folder, name);
      let reason = 'there is no C compiler here';
      for (const compiler of COMPILERS) {
        try {
          execFileSync(compiler, [...flags, source, '-o', program, '-lm'], { stdio: 'pipe' });
          return { program, flags: flags.join(' ') };
        } catch (error) {
          const { code, message } = error as NodeJS.ErrnoException;
          if (code === 'ENOENT') continue;
          reason = `${compiler} cannot compile it: ${message.split('\n')[1] ?? message}`;
        }
      }
      return { reason };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
