/**
 * Prints how AdaL's default learning rate follows from the suite's search: node
 * bench/default-rate.js
 *
 * Runs bench/suite/study/default-rate.ts from source (minutes). The rate that it prints last is the
 * default in src/optimizers/adal.ts. Needs Debian's package dataset-fashion-mnist, as the suite
 * does.
 */
import { createViteServer } from 'vitest/node';

const show = (numbers) => numbers.map((x) => x.toPrecision(4).padStart(10)).join('');
const server = await createViteServer({
  configFile: false,
  server: { middlewareMode: true, watch: null },
  appType: 'custom',
  optimizeDeps: { noDiscovery: true },
});
try {
  const { chooseDefaultRate, RATES } = await server.ssrLoadModule(
    '/bench/suite/study/default-rate.ts',
  );
  const { createFileSource } = await server.ssrLoadModule('/bench/suite/runners/file-source.ts');
  console.log(`${'rate'.padEnd(26)}${show(RATES)}`);
  const { worst, lr } = await chooseDefaultRate(
    createFileSource(new URL('data/', import.meta.url)),
    (found) => {
      console.log(
        `${found.workload.padEnd(18)}losses  ${show(found.losses)}   ${found.initial.toPrecision(4)} at first`,
      );
      console.log(`${''.padEnd(18)}regrets ${show(found.regrets)}`);
    },
  );
  console.log(`${'worst regret'.padEnd(26)}${show(worst)}`);
  console.log(`default rate: ${lr}`);
} finally {
  await server.close();
}
