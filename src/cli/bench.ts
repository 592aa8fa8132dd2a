/** `adal bench` and `adal report`: the suite, in bench/, loads when it is asked for. */
import { type Command, Option } from 'commander';

/** The package: this runs as a file of dist/ or as a chunk below it. */
const ROOT = new URL(
  /\/dist\/node\/[^/]*$/.test(import.meta.url) ? '../../' : '../',
  import.meta.url,
);

const NOTES = `
Tiers: smoke only shows that it works (a minute), standard takes minutes, full
many hours. What --out holds already is not measured again: a run that was
interrupted goes on where it was.

Shards split a study over processes or machines; adal report merges them:
  adal bench --shard 1/2 --out a.json
  adal bench --shard 2/2 --out b.json
  adal report a.json b.json`;

export function addBenchCommands(program: Command): void {
  program
    .command('bench')
    .description('measure optimizers, training and runtimes; results are written to a file')
    .addOption(
      new Option('--tier <tier>', 'how much')
        .choices(['smoke', 'standard', 'full'])
        .default('standard'),
    )
    .option(
      '--runtimes <names>',
      'node, node-24, deno, bun, workerd, chromium, …; training is done on the first',
      'node',
    )
    .option(
      '--only <parts>',
      'some of training, hashes, streams, micro, speed, threads, cold-start',
    )
    .option('--optimizers <ids>', 'only these')
    .option('--workloads <ids>', 'only these, or their groups: W0, W1, W2-iris, …')
    .option('--seeds <n>', "final seeds, instead of the tier's")
    .option('--lanes <n>', 'processes that train at once (default: as many as CPUs)')
    .option('--shard <i/n>', 'only this part of the study')
    .option('--out <file>', 'result file (default: bench-results/<tier>.json)')
    .addHelpText('after', NOTES)
    .allowExcessArguments(false)
    .action(async (options) => {
      const { bench } = await import('../../bench/suite/command');
      process.exitCode = await bench(options, ROOT);
    });
  program
    .command('report')
    .description(
      'make a report of benchmark results, merged; what does not belong together is refused',
    )
    .argument('<results...>', 'result files')
    .option(
      '--out <files...>',
      '.html, .md, .csv or .json (default: .html beside the first result)',
    )
    .allowExcessArguments(false)
    .action(async (results: string[], { out }: { out?: string[] }) => {
      const { report } = await import('../../bench/report/command');
      report(results, out);
    });
}
