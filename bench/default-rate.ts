/**
 * npm run bench:default-rate
 *
 * Shows how AdaL's default learning rate follows from the suite's search
 * (suite/study/default-rate.ts), in minutes. The rate printed last is the default in
 * src/optimizers/adal.ts. Needs Debian's package dataset-fashion-mnist, as the suite does.
 */
import { pathToFileURL } from 'node:url';
import { createFileSource } from './suite/runners/file-source';
import { chooseDefaultRate, RATES } from './suite/study/default-rate';
import { benchPath } from './toolkit/bench-folder';
import { runBenchmark } from './toolkit/command-options';

const LABEL_WIDTH = 26;
const NAME_WIDTH = 18;

const show = (numbers: readonly number[]): string =>
  numbers.map((x) => x.toPrecision(4).padStart(10)).join('');

async function main(): Promise<void> {
  console.log(`${'rate'.padEnd(LABEL_WIDTH)}${show(RATES)}`);
  const { worst, lr } = await chooseDefaultRate(
    createFileSource(pathToFileURL(benchPath('data/'))),
    ({ workload, losses, regrets, initial }) => {
      const note = `   ${initial.toPrecision(4)} before the first step`;
      console.log(`${workload.padEnd(NAME_WIDTH)}losses  ${show(losses)}${note}`);
      console.log(`${''.padEnd(NAME_WIDTH)}regrets ${show(regrets)}`);
    },
  );
  console.log(`${'worst regret'.padEnd(LABEL_WIDTH)}${show(worst)}`);
  console.log(`default rate: ${lr}`);
}

await runBenchmark(main);
