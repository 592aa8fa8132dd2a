/** Every command of the README runs as it stands. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { idxBytes } from '../data/idx-file';
import { adal, readRun, temporaryFolder } from './cli';

const README = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');
const blocks = (language: string) =>
  [...README.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    (match) => match[1],
  );

describe('commands', () => {
  const commands = blocks('sh')
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => /^adal ([^#]+)/.exec(line)?.[1].trim() ?? []);
  const cwd = temporaryFolder();

  it('are there', () => expect(commands.length).toBeGreaterThanOrEqual(9));

  beforeAll(() => {
    writeFileSync(join(cwd, 'model.json'), blocks('json')[0]);
    writeFileSync(join(cwd, 'book.txt'), 'So much for the weather of today. '.repeat(40));
    const flowers = Array.from(
      { length: 60 },
      (_, i) => `${i % 7},${i % 5},${['setosa', 'virginica'][i % 2]}`,
    );
    writeFileSync(join(cwd, 'iris.csv'), `length,width,species\n${flowers.join('\n')}\n`);
    mkdirSync(join(cwd, 'fashion-mnist'));
    for (const part of ['train', 't10k']) {
      writeFileSync(
        join(cwd, `fashion-mnist/${part}-images-idx3-ubyte`),
        idxBytes([4, 28, 28], new Uint8Array(4 * 784).fill(7)),
      );
      writeFileSync(
        join(cwd, `fashion-mnist/${part}-labels-idx1-ubyte`),
        idxBytes([4], [0, 1, 2, 9]),
      );
    }
  });

  it.each(commands)('adal %s', async (command) => {
    const { code, stdout, stderr } = await adal(command.split(/ +/), cwd);
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).not.toBe('');
    if (command.includes('--resume'))
      expect(readRun(join(cwd, 'runs/first')).epochs).toHaveLength(40);
  });
});
