/** Fashion-MNIST through the command line, as Debian's package dataset-fashion-mnist has it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const DATA = '/usr/share/datasets/fashion-mnist';
const CLI = resolve(import.meta.dirname, '../../dist/cli.js');
const present = existsSync(join(DATA, 'train-images-idx3-ubyte.gz'));
if (!present) console.log(`skipped: no ${DATA} (apt-get install dataset-fashion-mnist)`);

/** Runs `adal train` on it; run.json. */
function train(options: string) {
  const folder = mkdtempSync(join(tmpdir(), 'adal-fashion-'));
  try {
    const out = join(folder, 'run');
    const args = [
      CLI,
      'train',
      '--data',
      `idx:${DATA}`,
      '--batch-size',
      '128',
      ...options.split(' '),
      '--out',
      out,
    ];
    execFileSync(process.execPath, args, { stdio: 'pipe' });
    const run = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
    console.log(`Fashion-MNIST, ${options}: test accuracy ${run.result.testAccuracy}`);
    return run;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it.skipIf(!present)('MLP 784-128-10 reaches 0.865 in 5 epochs at batch 128, practical', () => {
  const run = train('--model mlp:128 --preset practical --epochs 5');
  expect(run.epochs).toHaveLength(5);
  expect(run.result.testAccuracy).toBeGreaterThanOrEqual(0.865);
});

// In five epochs these reach 0.904 and 0.909.
it.skipIf(!present).each([
  ['--preset practical', 0.87],
  ['--optimizer adam --lr 0.002 --schedule cosine', 0.87],
])('CNN of fewer than 115,000 parameters, one epoch, %s: at least %d', (options, accuracy) => {
  const run = train(`--model cnn --epochs 1 ${options}`);
  expect(run.model.parameterCount).toBeLessThan(115_000);
  expect(run.result.testAccuracy).toBeGreaterThanOrEqual(accuracy);
});
