/**
 * `adal bench` and `adal report`: hand their arguments to the package adal-bench, which is not a
 * dependency and is loaded only when one of them is called.
 */
import type { Command } from 'commander';

/** The commands of adal-bench that `adal` forwards to: what each is called there, and its help. */
const COMMANDS = {
  bench: { name: 'run', help: 'measure optimizers, training and runtimes (package adal-bench)' },
  report: { name: 'report', help: 'write a report of benchmark results (package adal-bench)' },
};

/** Places of adal-bench, in this order: the installed package, and `dist/` of a checkout. */
const SOURCES = ['adal-bench', new URL('./bench/index.js', import.meta.url).href];

interface Bench {
  /** Runs a command and returns its exit code. */
  main(args: readonly string[]): Promise<number>;
}

/** adal-bench is not installed. */
export class MissingBenchError extends Error {
  constructor(command: string) {
    super(`${command} needs the package adal-bench: npm install adal-bench`);
  }
}

async function loadBench(command: string): Promise<Bench> {
  for (const source of SOURCES) {
    try {
      return (await import(/* @vite-ignore */ source)) as Bench;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    }
  }
  throw new MissingBenchError(command);
}

export function addBenchCommands(program: Command): void {
  for (const [command, { name, help }] of Object.entries(COMMANDS)) {
    program
      .command(command)
      .description(help)
      .argument('[arguments...]', `those of \`adal-bench ${name}\``)
      .helpOption(false)
      .allowUnknownOption()
      .action(async (args: string[]) => {
        const { main } = await loadBench(command);
        process.exitCode = await main([name, ...args]);
      });
  }
}
