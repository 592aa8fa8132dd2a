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

/** Values of the options that every single benchmark has. */
interface CommonValues {
  readonly rounds?: string;
  readonly out?: string;
  readonly help?: boolean;
}

/** Options that every single benchmark has. */
export interface CommonOptions {
  /** Interleaved rounds. */
  readonly rounds: number;
  /** Folder that the result is written to. */
  readonly out?: string;
}

/** Returns the options in words. */
function usageOf(options: Readonly<Record<string, OptionSpec>>): string {
  const listed = Object.entries(options).map(
    ([name, { type }]) => `--${name}${type === 'string' ? ' <value>' : ''}`,
  );
  return `Options: ${listed.join(', ')}`;
}

/**
 * Parses this process's arguments. Ends the process with a message when they are wrong, or when
 * `--help` asks for the options.
 * @param defaultRounds rounds without `--rounds`
 * @param own options of this benchmark besides `--rounds` and `--out`
 */
export function parseCommandOptions<T extends Readonly<Record<string, OptionSpec>>>(
  defaultRounds: number,
  own: T,
): CommonOptions & { readonly values: Values<T> } {
  const options = {
    ...own,
    rounds: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean' },
  } as const;
  try {
    const { values } = parseArgs({ options });
    const { rounds: text, out, help } = values as CommonValues;
    if (help) {
      console.log(usageOf(options));
      process.exit();
    }
    const rounds = text === undefined ? defaultRounds : Number(text);
    if (!(Number.isInteger(rounds) && rounds > 0))
      refuse(`"--rounds" expected a positive integer, got ${text}`);
    return { rounds, ...(out !== undefined && { out }), values: values as Values<T> };
  } catch (error) {
    return refuse(`${(error as Error).message}\n${usageOf(options)}`);
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
