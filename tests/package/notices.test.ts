/**
 * The package carries the notices of all that it bundles, and a build without a license text fails.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const noticesOf = (folder: string) =>
  readFileSync(join(ROOT, folder, 'dist/THIRD-PARTY-NOTICES.md'), 'utf8').split('\n## ');
const NOTICES = { 'adal-wasm': noticesOf('.'), 'adal-bench': noticesOf('bench') };

describe('the packed package', () => {
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: 1e8 } as const;
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], options);
  const [{ files }] = JSON.parse(output.slice(output.indexOf('['))) as [
    { files: { path: string }[] },
  ];
  const paths = files.map(({ path }) => path);

  it.each(['LICENSE', 'README.md', 'dist/THIRD-PARTY-NOTICES.md', 'src/data/ATTRIBUTION.md'])(
    'has %s',
    (path) => {
      expect(paths).toContain(path);
    },
  );

  it.each([
    ['adal-wasm', 'commander', 'TJ Holowaychuk'],
    ['adal-wasm', 'cli-table3', 'James Talmage'],
    ['adal-wasm', 'cli-progress', 'Andi Dittrich'],
    ['adal-wasm', 'd3-scale', 'Mike Bostock'],
    ['adal-wasm', '@assemblyscript/loader', 'Apache License'],
    ['adal-bench', 'commander', 'TJ Holowaychuk'],
    ['adal-bench', 'd3-scale', 'Mike Bostock'],
    ['adal-bench', 'ajv', 'Evgeny Poberezkin'],
    ['adal-bench', 'uplot', 'Leon Sorokin'],
    ['adal-bench', '@assemblyscript/loader', 'Apache License'],
  ] as const)('%s names %s with its notice', (owner, name, holder) => {
    const notice = NOTICES[owner].find((text) => text.startsWith(`${name} `));
    expect(notice).toContain(holder);
  });

  it('has a source map beside every minified file of the library', () => {
    const minified = paths.filter((path) => /^dist\/([\w.-]+|chunks\/[\w.-]+)\.js$/.test(path));
    expect(minified.length).toBeGreaterThan(20);
    const readable = ['dist/cli.js', 'dist/worker.js'];
    const without = minified.filter(
      (path) => !readable.includes(path) && !paths.includes(`${path}.map`),
    );
    expect(without).toEqual([]);
  });
});

const SCRIPT = new URL('../../scripts/third-party-notices.js', import.meta.url).href;
const { noticeOf } = (await import(SCRIPT)) as { noticeOf(folder: string): string };

describe('noticeOf', () => {
  const packed = (files: Record<string, string>) => {
    const folder = mkdtempSync(join(tmpdir(), 'adal-notice-'));
    const all = { 'package.json': '{"name":"thing","version":"1.2.3","license":"MIT"}', ...files };
    for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
    return folder;
  };

  it('quotes license and notice files', () => {
    const folder = packed({
      LICENSE: 'Copyright A\r\nyes\n',
      'NOTICE.txt': 'by B',
      'README.md': 'no',
    });
    const notice = noticeOf(folder);
    expect(notice).toMatch(/^## thing 1\.2\.3\n\nMIT, /);
    expect(notice).toContain('~~~\nCopyright A\nyes\n~~~');
    expect(notice).toContain('by B');
    expect(notice).not.toContain('no\n');
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['none', {}],
    ['an empty one', { LICENSE: '\n' }],
  ])('fails where there is no license text: %s', (_, files) => {
    const folder = packed(files);
    mkdirSync(join(folder, 'lib'));
    expect(() => noticeOf(folder)).toThrow('thing 1.2.3 is bundled, but');
    rmSync(folder, { recursive: true });
  });
});
