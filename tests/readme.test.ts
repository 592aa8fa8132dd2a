/** Every JavaScript example and every command of the README runs as it stands. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adal, readRun, temporaryFolder } from './cli/cli';
import { idxBytes } from './data/idx-file';

const ROOT = resolve(import.meta.dirname, '..');
const README = readFileSync(resolve(ROOT, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...README.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1]);
const examples = blocks('js');

it('has examples', () => expect(examples.length).toBeGreaterThanOrEqual(3));

it.each(examples.map((code, index) => [index + 1, code] as const))('example %i runs and ends by itself', (index, code) => {
  // Inside the package, so that `adal-wasm` means the build under test.
  const file = resolve(ROOT, 'build', `readme-${index}.mjs`);
  writeFileSync(file, code);
  try {
    const output = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 });
    expect(output).not.toBe('');
    if (code.includes('evaluate(model, test)')) expect(Number(/accuracy: ([\d.]+)/.exec(output)?.[1])).toBeGreaterThan(0.9);
    if (code.includes("onNonFinite: 'skip'")) expect(output).toMatch(/skipped: true/);
    if (code.includes("createOptimizer('adal'")) expect(output).toMatch(/Float32Array\(2\)/);
  } finally {
    rmSync(file);
  }
});

describe('commands', () => {
  const commands = blocks('sh')
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => /^adal ([^#]+)/.exec(line)?.[1].trim() ?? []);
  const cwd = temporaryFolder();

  it('are there', () => {
    expect(commands.length).toBeGreaterThanOrEqual(9);
    writeFileSync(join(cwd, 'model.json'), blocks('json')[0]);
    writeFileSync(join(cwd, 'book.txt'), 'So much for the weather of today. '.repeat(40));
    const flowers = Array.from({ length: 60 }, (_, i) => `${i % 7},${i % 5},${['setosa', 'virginica'][i % 2]}`);
    writeFileSync(join(cwd, 'iris.csv'), `length,width,species\n${flowers.join('\n')}\n`);
    mkdirSync(join(cwd, 'fashion-mnist'));
    for (const part of ['train', 't10k']) {
      writeFileSync(join(cwd, `fashion-mnist/${part}-images-idx3-ubyte`), idxBytes([4, 28, 28], new Uint8Array(4 * 784).fill(7)));
      writeFileSync(join(cwd, `fashion-mnist/${part}-labels-idx1-ubyte`), idxBytes([4], [0, 1, 2, 9]));
    }
  });

  it.each(commands)('adal %s', async (command) => {
    const { code, stdout, stderr } = await adal(command.split(/ +/), cwd);
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).not.toBe('');
    if (command.includes('--resume')) expect(readRun(join(cwd, 'runs/first')).epochs).toHaveLength(40);
  });
});
