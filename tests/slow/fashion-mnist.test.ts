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

it.skipIf(!present)('MLP 784-128-10 reaches 0.865 in 5 epochs at batch 128, practical', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adal-fashion-'));
  try {
    const out = join(folder, 'run');
    const options = ['--preset', 'practical', '--epochs', '5', '--batch-size', '128', '--model', 'mlp:128', '--out', out];
    execFileSync(process.execPath, [CLI, 'train', '--data', `idx:${DATA}`, ...options], { stdio: 'pipe' });
    const run = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
    const accuracy: number = run.epochs.at(-1).testAccuracy;
    console.log(`Fashion-MNIST, 5 epochs: test accuracy ${accuracy}`);
    expect(run.epochs).toHaveLength(5);
    expect(accuracy).toBeGreaterThanOrEqual(0.865);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
