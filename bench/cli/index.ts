/** The command line of `adal-bench`: parses arguments, runs a command, returns an exit code. */
import { ArgumentError } from 'adal-wasm';
import { Command, CommanderError, Option } from 'commander';
import { COMPARE_NOTES, type CompareCommandOptions, compare } from '../compare/command';
import { version } from '../package.json';
import { PARTS } from '../suite/tasks';
import { printable } from '../toolkit/printable';
import { EXIT_FAILED, EXIT_USAGE, explain } from './errors';
import { report } from './report';
import { type RunOptions, run } from './run';
import { serve } from './serve';

const RUN_NOTES = `
Tiers: smoke takes a minute and only shows that everything works, standard takes
minutes to an hour, full takes many hours. A result file is continued: entries
that --out already holds are not measured again.

Shards split a study over processes or machines; report merges them:
  adal-bench run --shard 1/2 --out a.json
  adal-bench run --shard 2/2 --out b.json
  adal-bench report a.json b.json`;

function createProgram(setExitCode: (code: number) => void): Command {
  const program = new Command('adal-bench')
    .description('Benchmarks adal-wasm: optimizers, training and runtimes.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageMessage(text)) });
  program
    .command('run')
    .description('measure optimizers, training and runtimes, and write the result to a file')
    .addOption(
      new Option('--tier <tier>', 'how much is measured')
        .choices(['smoke', 'standard', 'full'])
        .default('standard'),
    )
    .option(
      '--runtimes <names>',
      'node, node-24, deno, bun, workerd, chromium, …; training runs on the first one',
      'node',
    )
    .option('--only <parts>', `some of ${PARTS.join(', ')}`)
    .option('--optimizers <ids>', 'only these optimizers')
    .option('--workloads <ids>', 'only these workloads, or groups of them: W0, W1, W2-iris, …')
    .option('--seeds <n>', "number of final seeds, instead of the tier's")
    .option('--lanes <n>', 'number of processes that train at once (default: number of CPUs)')
    .option('--shard <i/n>', 'only this part of the study')
    .option('--with <modules...>', 'add optimizers and workloads of your own: see the README')
    .option('--out <file>', 'result file (default: bench-results/<tier>.json)')
    .addHelpText('after', RUN_NOTES)
    .allowExcessArguments(false)
    .action(async (options: RunOptions) => setExitCode(await run(options)));
  program
    .command('report')
    .description('merge results and write a report; results of different studies are refused')
    .argument('<results...>', 'result files')
    .option(
      '--out <files...>',
      '.html, .md, .csv or .json (default: .html beside the first result)',
    )
    .allowExcessArguments(false)
    .action((results: string[], { out }: { out?: string[] }) => report(results, out));
  program
    .command('compare')
    .description('say what changed between two results, beyond their noise')
    .argument('<a>', 'result of run or of a single benchmark')
    .argument('<b>', 'result to compare with it')
    .option('--json', 'print the comparison as JSON')
    .option('--all', 'list what did not change as well')
    .option('--fail-on-change', 'exit with 1 when something changed')
    .option('--level <p>', 'probability that an interval covers the true value', '0.95')
    .addHelpText('after', COMPARE_NOTES)
    .allowExcessArguments(false)
    .action((a: string, b: string, options: CompareCommandOptions) =>
      setExitCode(compare(a, b, options)),
    );
  program
    .command('serve')
    .description('serve the page that runs the suite in a browser, to this machine alone')
    .option('--port <n>', 'port (default: any free one)', '0')
    .allowExcessArguments(false)
    .action(({ port }: { port: string }) => serve(parsePort(port)));
  return program;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535)
    throw new ArgumentError('port', 'an integer in [0, 65535]', text);
  return port;
}

/** Formats a message of the parser: one line, with the arguments that it quotes made printable. */
function usageMessage(text: string): string {
  const [message, hint = ''] = text.trimEnd().split(/\n(?=\(Did you mean [^\n]*\)$)/);
  const cause = printable(message.replace(/^error: /, ''));
  return `adal-bench: ${cause}${hint && ` ${printable(hint)}`}\n`;
}

/**
 * Runs a command of `adal-bench`.
 * @param args as typed after the program's name: `['run', '--tier', 'smoke']`
 * @returns the exit code: 0 for success, 1 for a failure, 2 for wrong use
 */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    console.error(`adal-bench: ${explain(error)}`);
    return EXIT_FAILED;
  }
  return exitCode;
}
