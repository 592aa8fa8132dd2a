/** The command line: parses, calls, and turns errors into one line and an exit code. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { optimizerNames } from '../index';
import { addBenchCommands } from './bench';
import { demo } from './demo';
import { doctor } from './doctor';
import { describeEnvironment } from './environment';
import { EXIT_USAGE, explain } from './errors';
import { inspect } from './inspect';
import { parseModel } from './model-spec';
import {
  parseBackend,
  parseBatchSize,
  parseData,
  parseEpochs,
  parseHeader,
  parseLearningRate,
  parseOptimizer,
  parseOut,
  parsePreset,
  parseResume,
  parseSchedule,
  parseSeed,
  parseTarget,
  parseTask,
  parseTestFraction,
  parseThreads,
  type TrainOptions,
} from './options';
import { tell } from './output';
import { printable } from './printable';
import { train } from './train';

const TRAIN_NOTES = `
Data:
  digits         1,797 handwritten digits of 8 × 8 pixels, built in
  idx:<folder>   MNIST, Fashion-MNIST and others of their layout:
                 train-images-idx3-ubyte, train-labels-idx1-ubyte,
                 t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, or these .gz
  csv:<file>     numbers, and one column of labels (--target), or, with --task
                 regression, of numbers to learn; features are standardised by
                 the training part. Digits as --target are a column's name if
                 the header has it, else its index. A header of numbers is not
                 guessed: --header tells
  text:<file>    text: each character is predicted from those before it

Model:
  mlp:64-32      hidden layers of 64 and 32 units; the rest is the data's.
                 Plain mlp is mlp:64
  softmax        no hidden layer
  64-64-10       all sizes, checked against the data; of idx data the last one
                 tells how many classes there are (otherwise 10)
  cnn            for images: two 3 × 3 convolutions (16 and 32 filters), each
                 with 2 × 2 max pooling, and a dense layer of 64
  charlm         for text: 8 characters, embedded in 16 dimensions, and a dense
                 layer of 128
  <file>.json    inputShape, layers and loss: see the README

The run folder gets the weights, the curves, a record of the run and, all along,
a checkpoint. Ctrl-C ends training after the batch under way.
--resume goes on from a checkpoint as if the run had not stopped, even if the
process was killed; its settings hold, but --epochs, --threads, --backend and,
if it has moved, --data may be other ones.
Exit codes: 0 done, 1 failed, 2 wrong use, 130 ended by Ctrl-C.

Examples:
  adal train --preset practical
  adal train --data csv:iris.csv --target species --model mlp:16
  adal train --data idx:fashion-mnist --model cnn --preset practical \\
             --epochs 5 --batch-size 128
  adal train --data text:book.txt --preset practical --epochs 5
  adal train --resume runs/digits-adal-restated-seed1 --epochs 60`;

/** An option whose default is shown as it would be typed. */
function option<T>(
  flags: string,
  description: string,
  parse: (text: string) => T,
  initial?: string,
): Option {
  const made = new Option(flags, description).argParser(parse);
  return initial === undefined ? made : made.default(parse(initial), initial);
}

function createProgram(version: string): Command {
  const program = new Command('adal')
    .description(
      'Trains with the AdaL optimizer in WebAssembly: the same bits on every engine, CPU and thread count.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageMessage(text)) });
  program
    .command('train')
    .description('train a network; weights, curves and a record of the run are written to a folder')
    .addOption(
      option(
        '--data <source>',
        'digits, idx:<folder>, csv:<file>, text:<file>',
        parseData,
        'digits',
      ),
    )
    .addOption(
      option(
        '--target <column>',
        "csv: the label's column, a name or an index (-1: the last)",
        parseTarget,
      ),
    )
    .addOption(
      option(
        '--header <choice>',
        'csv: whether the first line has names: auto, true, false',
        parseHeader,
        'auto',
      ),
    )
    .addOption(
      option(
        '--task <task>',
        'csv: classification or regression (default: by the model)',
        parseTask,
      ),
    )
    .addOption(
      option(
        '--test-fraction <f>',
        'part held out for testing (default: 0.25, of text 0.1)',
        parseTestFraction,
      ),
    )
    .addOption(option('--model <spec>', 'see below (default: mlp:64, of text charlm)', parseModel))
    .addOption(option('--optimizer <name>', optimizerNames().join(', '), parseOptimizer, 'adal'))
    .addOption(
      option(
        '--preset <name>',
        'adal: restated, its rule as restated, or practical, which trains better',
        parsePreset,
        'restated',
      ),
    )
    .addOption(
      option(
        '--lr <rate>',
        "learning rate (default: the optimizer's; adal: 0.03162)",
        parseLearningRate,
      ),
    )
    .addOption(
      option(
        '--schedule <name>',
        'of --lr: constant, linear, cosine, one-cycle, inverse-sqrt',
        parseSchedule,
      ),
    )
    .addOption(option('--epochs <n>', 'passes over the training data', parseEpochs, '30'))
    .addOption(
      option('--batch-size <n>', 'examples a step (default: 32, charlm 64)', parseBatchSize),
    )
    .addOption(option('--seed <n>', 'of split, first weights and order', parseSeed, '1'))
    .addOption(option('--threads <n>', 'that share a step: auto or 1 to 64', parseThreads, 'auto'))
    .addOption(option('--backend <name>', 'auto, simd, threads or oracle', parseBackend, 'auto'))
    .addOption(option('--out <folder>', 'to write to (default: a new one in runs/)', parseOut))
    .addOption(
      option(
        '--resume <checkpoint>',
        'go on with a run: its folder, or its checkpoint',
        parseResume,
      ),
    )
    .addHelpText('after', TRAIN_NOTES)
    .allowExcessArguments(false)
    .action(async (options, command: Command) => {
      const typed = Object.keys(options).filter(
        (name) => command.getOptionValueSource(name) === 'cli',
      );
      process.exitCode = await train(
        options as TrainOptions,
        new Set(typed),
        describeEnvironment(version),
      );
    });
  program
    .command('inspect')
    .description('tell what a safetensors file holds: tensors, their norms, hyperparameters')
    .argument('<file>', 'a checkpoint, weights, or any other safetensors file')
    .allowExcessArguments(false)
    .action((file: string) => inspect(file));
  program
    .command('demo')
    .description('learn handwritten digits with both presets and compare (what npm start runs)')
    .allowExcessArguments(false)
    .action(async () => {
      process.exitCode = await demo(describeEnvironment(version));
    });
  program
    .command('doctor')
    .description('tell what this machine offers, and check that all backends agree')
    .allowExcessArguments(false)
    .action(async () => {
      process.exitCode = await doctor(describeEnvironment(version));
    });
  addBenchCommands(program);
  return program;
}

/** What the parser says of arguments, which it quotes as they are, on one line. */
function usageMessage(text: string): string {
  const [message, hint = ''] = text.trimEnd().split(/\n(?=\(Did you mean [^\n]*\)$)/);
  return `adal: ${printable(message.replace(/^error: /, ''))}${hint && ` ${printable(hint)}`}\n`;
}

async function main(): Promise<void> {
  // A reader that went away (`adal train | head`) ends the output, not the training.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  try {
    await createProgram(version).parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
      return;
    }
    const { message, exitCode, isInternal } = explain(error);
    tell(`adal: ${isInternal ? message : printable(message)}`);
    process.exitCode = exitCode;
  }
}

await main();
