/** The documents of the repository and of the package: no link is dead, and versions agree. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const { repository, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  repository: { url: string };
  version: string;
};
/** How documents of the package link to files that only the repository has. */
const HOME = `${repository.url.replace(/^git\+|\.git$/g, '')}/`;
const IN_REPOSITORY = new RegExp(`^${HOME.replaceAll('.', '\\.')}(?:blob|tree)/main/`);
const NOT_OURS = /^(node_modules|build|dist|dist-thousand|coverage|runs|bench-results|\.git)$/;

/** Paths of all Markdown files, relative to the root. */
function documents(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.test(entry.name) ? [] : documents(path);
    return entry.name.endsWith('.md') ? [relative(ROOT, path)] : [];
  });
}

/** A document without its code, in which brackets are no links. */
const proseOf = (file: string) =>
  readFileSync(join(ROOT, file), 'utf8')
    .replace(/^( *)(```+)[\s\S]*?^\1\2$/gm, '')
    .replace(/(`+)[^`]+\1/g, 'code');

/** Targets of inline links, reference definitions and HTML attributes. */
function linksIn(file: string): string[] {
  const prose = proseOf(file);
  const patterns = [/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g, /^\[[^\]]+\]:\s+(\S+)/gm];
  return [...patterns, /(?:href|src)="([^"]+)"/g].flatMap((pattern) =>
    [...prose.matchAll(pattern)].map(([, target]) => target!),
  );
}

/** Anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: string): Set<string> {
  const text = readFileSync(join(ROOT, file), 'utf8').replace(/^( *)(```+)[\s\S]*?^\1\2$/gm, '');
  const anchors = new Set<string>();
  for (const [, heading] of text.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = heading!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = slug;
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`;
    anchors.add(anchor);
  }
  for (const [, id] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id!);
  return anchors;
}

/** The links of a document that lead nowhere, given which files there are. */
function deadLinks(file: string, exists: (path: string) => boolean): string[] {
  return linksIn(file).filter((link) => {
    const inRepository = IN_REPOSITORY.test(link);
    if (!inRepository && /^[a-z][a-z+.-]*:|^\/\//i.test(link)) return false; // another site
    const [path, anchor] = link.replace(IN_REPOSITORY, '').split('#') as [string, string?];
    const base = inRepository ? '' : dirname(file);
    const target = path === '' ? file : join(base, decodeURIComponent(path));
    if (!(inRepository ? existsSync(join(ROOT, target)) : exists(target))) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
  });
}

describe('links', () => {
  it('finds dead ones of every kind', () => {
    const none = () => false;
    expect(deadLinks('README.md', none)).toContain('docs/layers.md');
    expect(anchorsOf('README.md')).toContain('what-adal-does-and-does-not-do');
    expect(anchorsOf('docs/optimizers.md')).toContain('adals-default-rate');
  });

  it.each(documents())('of %s lead to files and headings that exist', (file) => {
    expect(deadLinks(file, (path) => existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('of the packed documents lead to packed files, or into the repository', () => {
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    });
    const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
    const packed = files.map(({ path }) => path);
    const exists = (path: string) =>
      packed.includes(path) ||
      packed.some((each) => each.startsWith(`${path.replace(/\/$/, '')}/`));
    const ours = packed.filter((path) => path.endsWith('.md') && !path.startsWith('dist/'));
    expect(ours).toEqual(expect.arrayContaining(['README.md', 'CHANGELOG.md', 'docs/layers.md']));
    expect(
      ours.flatMap((file) => deadLinks(file, exists).map((link) => `${file}: ${link}`)),
    ).toEqual([]);
  });
});

it('CITATION.cff names the version of package.json', () => {
  const citation = readFileSync(join(ROOT, 'CITATION.cff'), 'utf8');
  expect(/^version: (.+)$/m.exec(citation)?.[1]).toBe(version);
});
