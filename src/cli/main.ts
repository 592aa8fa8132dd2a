/** The command line: parses arguments, runs commands, reports errors on one line. */
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
  idx:<folder>   MNIST, Fashion-MNIST or another dataset with the same files:
                 train-images-idx3-ubyte, train-labels-idx1-ubyte,
                 t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, or these with
                 .gz
  csv:<file>     numeric columns and a target column (--target) of labels or,
                 with --task regression, of numbers. Features are standardised
                 by the training examples. If --target consists of digits, it
                 is the name of a column if the header has that name, else an
                 index. If the header consists of numbers, set --header
  text:<file>    text; the model predicts each character from those before it

Model:
  mlp:64-32      hidden layers of 64 and 32 units; the numbers of inputs and
                 outputs follow from the data. mlp is short for mlp:64
  softmax        no hidden layer
  64-64-10       all layer sizes, which must match the data. With idx data the
                 last size is the number of classes (otherwise 10)
  cnn            for images: two 3 × 3 convolutions (16 and 32 filters), each
                 with 2 × 2 max pooling, and a dense layer of 64
  charlm         for text: 8 characters, embedded in 16 dimensions, and a dense
                 layer of 128
  <file>.json    inputShape, layers and loss: see the README

The run folder receives the weights, the curves and a record of the run, and
during the run a checkpoint. Ctrl-C stops training after the current batch.
--resume continues a run from its checkpoint as if it had never stopped, even
if the process was killed. The settings of the run apply, except that --epochs,
--threads, --backend and, if the data has moved, --data may be set anew.
Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped by Ctrl-C.

Examples:
  adal train --preset practical
  adal train --data csv:iris.csv --target species --model mlp:16
  adal train --data idx:fashion-mnist --model cnn --preset practical \\
             --epochs 5 --batch-size 128
  adal train --data text:book.txt --preset practical --epochs 5
  adal resume runs/digits-adal-restated-seed1 --epochs 60`;

/** Creates an option; the help shows its default as it would be typed. */
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
      'Train neural networks in WebAssembly, with AdaL and other optimizers. Results have the ' +
        'same bits on every engine, CPU and thread count.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageMessage(text)) });
  program
    .command('train')
    .description(
      'train a network and write its weights, curves and a record of the run to a folder',
    )
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
        'csv: target column, by name or index (-1: the last column)',
        parseTarget,
      ),
    )
    .addOption(
      option(
        '--header <choice>',
        'csv: whether the first line names the columns: auto, true, false',
        parseHeader,
        'auto',
      ),
    )
    .addOption(
      option(
        '--task <task>',
        'csv: classification or regression (default: the task of the model)',
        parseTask,
      ),
    )
    .addOption(
      option(
        '--test-fraction <f>',
        'fraction held out for testing (default: 0.25; text: 0.1)',
        parseTestFraction,
      ),
    )
    .addOption(option('--model <spec>', 'see below (default: mlp:64; text: charlm)', parseModel))
    .addOption(option('--optimizer <name>', optimizerNames().join(', '), parseOptimizer, 'adal'))
    .addOption(
      option(
        '--preset <name>',
        'adal: restated, the rule as restated, or practical, which trains better',
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
        'schedule of --lr: constant, linear, cosine, one-cycle, inverse-sqrt',
        parseSchedule,
      ),
    )
    .addOption(option('--epochs <n>', 'number of passes over the training data', parseEpochs, '30'))
    .addOption(
      option('--batch-size <n>', 'examples per step (default: 32; charlm: 64)', parseBatchSize),
    )
    .addOption(
      option(
        '--seed <n>',
        'seed of the split, the initial weights and the order of examples',
        parseSeed,
        '1',
      ),
    )
    .addOption(option('--threads <n>', 'number of threads: auto or 1 to 64', parseThreads, 'auto'))
    .addOption(
      option(
        '--backend <name>',
        'auto, simd, threads or oracle (the slow reference)',
        parseBackend,
        'auto',
      ),
    )
    .addOption(
      option('--out <folder>', 'folder of the run (default: a new one in runs/)', parseOut),
    )
    .addOption(
      option(
        '--resume <checkpoint>',
        'continue a run, given its folder or its checkpoint',
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
    .description('show the tensors in a safetensors file and the settings in a checkpoint')
    .argument('<file>', 'checkpoint, weights or any other safetensors file')
    .allowExcessArguments(false)
    .action((file: string) => inspect(file));
  program
    .command('resume <checkpoint> [options...]')
    .description('continue a run from its folder or checkpoint: short for train --resume')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (checkpoint: string, options: readonly string[]) => {
      const args = ['train', '--resume', checkpoint, ...options];
      await createProgram(version).parseAsync(args, { from: 'user' });
    });
  program
    .command('demo')
    .description('train on handwritten digits with both presets of AdaL and compare them')
    .allowExcessArguments(false)
    .action(async () => {
      process.exitCode = await demo(describeEnvironment(version));
    });
  program
    .command('doctor')
    .description('show what this machine supports and check that all backends agree')
    .allowExcessArguments(false)
    .action(async () => {
      process.exitCode = await doctor(describeEnvironment(version));
    });
  addBenchCommands(program);
  return program;
}

/** Returns a message of the parser on one line, with the arguments it quotes made printable. */
function usageMessage(text: string): string {
  const [message, hint = ''] = text.trimEnd().split(/\n(?=\(Did you mean [^\n]*\)$)/);
  return `adal: ${printable(message.replace(/^error: /, ''))}${hint && ` ${printable(hint)}`}\n`;
}

async function main(): Promise<void> {
  // If the reader of the output exits (`adal train | head`), training goes on.
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
