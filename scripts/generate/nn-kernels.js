/**
 * Derives the lists of nn kernels from files. Every file of assembly/nn is an entry of the nn
 * binaries; every folder in it is a family of layers, whose kernels are binaries of their own
 * (`nn-recurrent.simd`), which only models with such layers load. The file of the same path in
 * src/runtime/reference/nn is a kernel's reference in TypeScript. So a new kernel is two new files,
 * and no list names it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const KERNELS = 'assembly/nn';
const REFERENCE = 'src/runtime/reference/nn';

/** Paths below `folder` of all files but tests. */
const filesOf = (root, folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !file.includes('__tests__'))
    .sort();

/**
 * Returns the paths of the kernels' files below `root`.
 * @throws Error where a kernel has no reference, or a reference no kernel
 */
export function nnKernels(root = '.') {
  const [kernels, references] = [filesOf(root, KERNELS), filesOf(root, REFERENCE)];
  for (const file of kernels)
    if (!references.includes(file))
      throw new Error(`${KERNELS}/${file} has no reference: add ${REFERENCE}/${file}`);
  for (const file of references)
    if (!kernels.includes(file))
      throw new Error(`${REFERENCE}/${file} has no kernel: add ${KERNELS}/${file}`);
  return kernels.map((file) => `${KERNELS}/${file}`);
}

/** Returns the paths of the kernels' files by binary: `nn`, `nn-recurrent`, … */
export function nnBinaries(root) {
  const binaries = { nn: [] };
  for (const path of nnKernels(root)) {
    const [, family] = /^assembly\/nn\/([^/]+)\//.exec(path) ?? [];
    const name = family === undefined ? 'nn' : `nn-${family}`;
    (binaries[name] ??= []).push(path);
  }
  return binaries;
}

/** Returns the source of the module that lists the families and loads their inlined binaries. */
export function familiesOf(root) {
  const names = Object.keys(nnBinaries(root)).filter((name) => name !== 'nn');
  const families = names.map((name) => `'${name.slice('nn-'.length)}'`);
  const binaries = names.flatMap((name) => [`${name}.simd`, `${name}.threads`]);
  return [
    `/** Written by scripts/generate/nn-kernels.js from the folders of ${KERNELS}; do not edit. */`,
    '',
    '/** A family of layers whose kernels are binaries of their own. */',
    `export type NNFamily = ${families.join(' | ') || 'never'};`,
    '',
    `export const NN_FAMILIES: readonly NNFamily[] = [${families.join(', ')}];`,
    '',
    '/** The inlined binaries of the families. */',
    'export const FAMILY_BINARIES = {',
    ...binaries.map((name) => `  '${name}': () => import('./${name}.js'),`),
    '};',
    '',
  ].join('\n');
}

/** Returns the source of the module that joins the kernels of all reference files in one object. */
export function referenceListOf(root) {
  const modules = filesOf(root, REFERENCE).map((file) => file.replace(/\.ts$/, ''));
  const variable = (module) => module.replace(/[-/](\w)/g, (_, letter) => letter.toUpperCase());
  return [
    `/** Written by scripts/generate/nn-kernels.js from the files of ${REFERENCE}; do not edit. */`,
    ...modules.map(
      (module) => `import { kernels as ${variable(module)} } from '../${REFERENCE}/${module}';`,
    ),
    "import type { Arithmetic } from '../src/runtime/reference/math/arithmetic';",
    "import type { ReferenceMemory } from '../src/runtime/reference/math/memory';",
    '',
    'export function referenceKernels(memory: ReferenceMemory, arithmetic: Arithmetic) {',
    '  return {',
    ...modules.map((module) => `    ...${variable(module)}(memory, arithmetic),`),
    '  };',
    '}',
    '',
  ].join('\n');
}
