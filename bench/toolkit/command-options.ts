/** The command lines of the single benchmarks. */
import { parseArgs } from 'node:util';

/** Prints the message of an error, without its stack, and ends the process with code 2. */
function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
}

type Values<T extends Readonly<Record<string, OptionSpec>>> = {
  readonly [K in keyof T]?: T[K]['type'] extends 'boolean' ? boolean : string;
};

/** Options that every single benchmark has. */
export interface CommonOptions {
  /** Interleaved rounds. */
  readonly rounds: number;
  /** Folder that the result is written to. */
  readonly out?: string;
}

/**
 * Parses this process's arguments. Ends the process with a message when they are wrong.
 * @param defaultRounds rounds without `--rounds`
 * @param own options of this benchmark besides `--rounds` and `--out`
 */
export function parseCommandOptions<T extends Readonly<Record<string, OptionSpec>>>(
  defaultRounds: number,
  own: T,
): CommonOptions & { readonly values: Values<T>; readonly positionals: readonly string[] } {
  const options = { ...own, rounds: { type: 'string' }, out: { type: 'string' } } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const { rounds: text, out } = values as { rounds?: string; out?: string };
    const rounds = text === undefined ? defaultRounds : Number(text);
    if (!(Number.isInteger(rounds) && rounds > 0))
      refuse(`"--rounds" expected a positive integer, got ${text}`);
    return { rounds, ...(out !== undefined && { out }), values: values as Values<T>, positionals };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/**
 * Runs a benchmark and ends the process: with code 1 and the error's message when it fails. Worker
 * threads and contenders that are still there do not keep the process alive.
 */
export async function runBenchmark(main: () => Promise<void>): Promise<never> {
  try {
    await main();
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
  process.exit();
}
