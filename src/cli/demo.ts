/**
 * `adal demo`, which `npm start` runs: trains on handwritten digits with both presets of AdaL and
 * prints the two runs side by side.
 */
import { join } from 'node:path';
import type { Environment } from './environment';
import { EXIT_INTERRUPTED } from './errors';
import {
  formatBackend,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  formatSplit,
  shortHash,
} from './format';
import { withInterrupt } from './interrupt';
import { loadData } from './load-data';
import { PRESETS, type Preset } from './options';
import { print } from './output';
import { createProgress } from './progress';
import { CURVES_FILE, claimRunFolder, RUN_FILE, WEIGHTS_FILE, writeRun } from './run-folder';
import { runSession, type SessionResult } from './session';
import { warnOfSkips } from './summary';
import { table } from './table';

const SETTINGS = {
  model: { kind: 'mlp', hidden: [64], outer: null },
  optimizer: 'adal',
  epochs: 30,
  batchSize: 32,
  seed: 1,
  threads: 'auto',
  backend: 'auto',
} as const;

const TITLES: Readonly<Record<Preset, string>> = {
  restated: 'AdaL as restated: lr 0.03162/√t, betas 0.9 and 0.999, eps 1e-8',
  practical: 'AdaL, practical: lr 0.01 to 0 along a cosine, betas 0.9 and 0.95, eps 0',
};

/** Runs the command and returns the exit code. */
export async function demo(environment: Environment): Promise<number> {
  const data = loadData({ kind: 'digits' }, SETTINGS);
  print(`Training on handwritten digits (8 × 8 pixels): ${formatSplit(data.train, data.test)}`);
  return withInterrupt(async (signal) => {
    const results: [Preset, SessionResult][] = [];
    for (const preset of PRESETS) {
      const startedAt = new Date();
      print(`\n${TITLES[preset]}`);
      const folder = await claimRunFolder(folderOf(preset));
      const progress = createProgress(SETTINGS.epochs);
      const result = await runSession(
        data,
        { ...SETTINGS, preset },
        {
          signal,
          onProgress: (state) => progress.update(state),
        },
      ).finally(() => progress.stop());
      results.push([preset, result]);
      const options = { data: 'digits', testFraction: 0.25, ...SETTINGS, model: 'mlp:64', preset };
      await writeRun(
        folder.path,
        { command: 'demo', options, startedAt, environment, data },
        result,
      );
      folder.release();
      warnOfSkips(result);
      if (signal.aborted) break;
    }
    print(`\n${sideBySide(results)}\n\n${closing(results)}`);
    return signal.aborted ? EXIT_INTERRUPTED : 0;
  });
}

function folderOf(preset: Preset): string {
  return join('runs', `demo-${preset}`);
}

function sideBySide(results: readonly [Preset, SessionResult][]): string {
  const row = (name: string, show: (result: SessionResult) => string) => [
    name,
    ...results.map(([, result]) => show(result)),
  ];
  return table(
    ['', ...results.map(([preset]) => preset)],
    [
      row('train loss', (r) => formatLoss(r.trainLoss)),
      row('test loss', (r) => formatLoss(r.testLoss)),
      row('test accuracy', (r) => formatPercent(r.testAccuracy)),
      row('best epoch', (r) =>
        r.bestEpoch === null ? '–' : `${formatPercent(r.bestTestAccuracy)} (epoch ${r.bestEpoch})`,
      ),
      row('epochs', (r) => `${r.epochs.length}${r.aborted ? ' (stopped by Ctrl-C)' : ''}`),
      row('time', (r) => formatDuration(r.elapsedMs)),
      row('samples/s', (r) => formatCount(r.samplesPerSecond)),
      row('hash of weights', (r) => shortHash(r.parameterHash)),
    ],
  );
}

function closing(results: readonly [Preset, SessionResult][]): string {
  const [, { info, model }] = results[0];
  return [
    `Network ${model.title}`,
    `Backend ${formatBackend(info)}`,
    'The hashes are the same on every machine, backend and number of threads.',
    `Written to ${results.map(([preset]) => folderOf(preset)).join(' and ')}:`,
    `  ${WEIGHTS_FILE}, ${CURVES_FILE}, ${RUN_FILE}`,
    '',
    'Next: get the same hash on two threads, train on your own data, check this machine:',
    '  node dist/cli.js train --data digits --preset practical --threads 2',
    '  node dist/cli.js train --help',
    '  node dist/cli.js doctor',
  ].join('\n');
}
