/** Every `@example` in a comment is code that parses: wrapping prose once broke some of them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** The code of all examples of a file, without the comment's margin. */
function examplesOf(text: string): string[] {
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(([comment]) => {
    const lines = comment.slice(3, -2).split('\n');
    const body = lines.map((line) => line.replace(/^\s*\* ?/, '')).join('\n');
    return body
      .split('@example')
      .slice(1)
      .map((example) => example.split(/\n@\w/)[0]!.replace(/```\w*/g, ''));
  });
}

it('parses', () => {
  const options = { cwd: ROOT, encoding: 'utf8' } as const;
  const listed = execFileSync('git', ['ls-files', '-z', 'src/*.ts', 'bench/*.ts'], options);
  const wrong: string[] = [];
  let count = 0;
  for (const file of listed.split('\0').filter(Boolean)) {
    for (const example of examplesOf(readFileSync(join(ROOT, file), 'utf8'))) {
      count++;
      const source = `async () => {${example.replace(/^export /gm, '')}\n}`;
      const { diagnostics } = ts.transpileModule(source, { reportDiagnostics: true });
      if (diagnostics?.length) wrong.push(`${file}: ${example.trim()}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(80);
});
