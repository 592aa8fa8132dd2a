/**
 * Builds the page of the report: script and style each become one string in
 * bench/build/report-page.js, with the hashes that its content security policy names.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import typescript from '@rollup/plugin-typescript';

const HERE = import.meta.dirname;
const BUILD = join(HERE, '../../build');
const CHART_STYLE = createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css');
const STYLE = join(HERE, 'style.css');
const DECLARATION = `/** The page's script and style, and their hashes for its security policy. */
export declare const script: string;
export declare const style: string;
export declare const scriptHash: string;
export declare const styleHash: string;
`;

const hashOf = (text) => `sha256-${createHash('sha256').update(text).digest('base64')}`;

const asStrings = {
  name: 'as-strings',
  async generateBundle(_, bundle) {
    const [chunk] = Object.values(bundle);
    // A script element ends at the first `</script`, wherever it stands.
    const script = chunk.code.trim().replace(/<\/(script)/gi, '<\\/$1');
    const style = (await readFile(CHART_STYLE, 'utf8')) + (await readFile(STYLE, 'utf8'));
    const strings = { script, style, scriptHash: hashOf(script), styleHash: hashOf(style) };
    chunk.code = Object.entries(strings)
      .map(([name, text]) => `export const ${name} = ${JSON.stringify(text)};\n`)
      .join('');
  },
};

/** First of all: the report itself, which imports them, is in the same compilation. */
const declaration = {
  name: 'declaration',
  buildStart() {
    mkdirSync(BUILD, { recursive: true });
    writeFileSync(join(BUILD, 'report-page.d.ts'), DECLARATION);
  },
};

export const reportPage = {
  input: { 'report-page': join(HERE, 'main.ts') },
  output: { dir: BUILD, format: 'iife' },
  plugins: [
    declaration,
    resolve({ browser: true }),
    typescript({
      compilerOptions: { noEmit: false, noCheck: true },
      include: ['bench/report/page/*.ts', 'bench/report/curve-data.ts'],
    }),
    terser(),
    asStrings,
  ],
};
