/**
 * Compiles assembly/ into build/. There is a module for optimizers, one for models, and one for
 * each family of layers (scripts/generate/nn-kernels.js), each with and without threads; nn also
 * with relaxed SIMD. The script writes each as .wasm and as a JavaScript module with the bytes in
 * hexadecimal, which the package inlines. It also writes the worker's source as a string, and the
 * package's version, which the binaries carry in a custom section.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';
import ts from 'typescript';
import { generate } from './generate/index.js';
import { nnBinaries } from './generate/nn-kernels.js';

const { version } = JSON.parse(await readFile('package.json', 'utf8'));
const common = [
  '-O3',
  '--converge',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--importMemory',
];
common.push(
  '--zeroFilledMemory',
  '--use',
  'abort=',
  '--disableWarning',
  '112',
  '--disableWarning',
  '201',
);
const variants = {
  simd: [],
  threads: [
    '--enable',
    'threads',
    '--sharedMemory',
    '--initialMemory',
    '2',
    '--maximumMemory',
    '65536',
  ],
};

const { nn, ...families } = nnBinaries('.');
/** Source files by binary. The threaded modules add the job protocol to their exports. */
const entries = {
  'optim.simd': ['assembly/optim.ts'],
  'optim.threads': ['assembly/optim.threads.ts'],
  'nn.simd': nn,
  'nn.threads': [...nn, 'assembly/nn.threads.ts'],
  'nn.relaxed.simd': nn,
  'nn.relaxed.threads': [...nn, 'assembly/nn.threads.ts'],
};
// Products within attention stay exact under the option `relaxed`: it is for the large ones of nn.
for (const [name, sources] of Object.entries(families))
  for (const variant of ['simd', 'threads']) entries[`${name}.${variant}`] = sources;

async function compile(name, sources) {
  const flags = [
    ...variants[name.split('.').at(-1)],
    // Leaves functions with several callers alone, a tenth of the optim module. What is called for
    // every vector is a method with @inline, so steps take as long (measured for all kernels).
    ...(name.startsWith('optim') ? ['--shrinkLevel', '1'] : []),
    ...(name.includes('relaxed') ? ['--enable', 'relaxed-simd'] : []),
  ];
  const output = [...sources, '-o', `build/${name}.wasm`, '-t', `build/${name}.wat`];
  const { error, stderr } = await asc.main([...output, ...common, ...flags]);
  const messages = stderr.toString();
  if (messages) console.error(messages);
  if (error) throw new Error(`asc failed on ${name}: ${error.message}`);
  const code = await readFile(`build/${name}.wasm`);
  const bytes = Buffer.concat([
    code,
    customSection('adal-wasm', `${name}.wasm of adal-wasm ${version}`),
  ]);
  await writeFile(`build/${name}.wasm`, bytes);
  await writeFile(`build/${name}.js`, `export default '${bytes.toString('hex')}';\n`);
  await writeFile(`build/${name}.d.ts`, 'declare const hex: string;\nexport default hex;\n');
  console.log(`build/${name}.wasm  ${bytes.length} bytes`);
}

/**
 * Returns a custom section. Engines ignore it, but a compiled module still exposes it. Lengths
 * below 128 take one byte each.
 */
function customSection(name, text) {
  const content = Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.from(text)]);
  return Buffer.concat([Buffer.of(0, content.length), content]);
}

/**
 * Compiles the worker to one script without imports, in an IIFE, because workers are started from
 * source text.
 */
async function compileWorker() {
  const source = await readFile('src/runtime/worker.ts', 'utf8');
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    removeComments: true,
  };
  const { outputText } = ts.transpileModule(source, { compilerOptions: options });
  const script = `(() => {\n${outputText.replace(/^export (\{\};?)?/gm, '')}})();\n`;
  await writeFile('build/worker.js', `export default ${JSON.stringify(script)};\n`);
  await writeFile('build/worker.d.ts', 'declare const source: string;\nexport default source;\n');
}

await mkdir('build', { recursive: true });
await writeFile('build/version.js', `export default '${version}';\n`);
await writeFile('build/version.d.ts', 'declare const version: string;\nexport default version;\n');
await generate();
for (const [name, sources] of Object.entries(entries)) await compile(name, sources);
await compileWorker();
