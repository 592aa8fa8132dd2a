/**
 * Derives the list of nn kernels from files: every file of assembly/nn and of the folders in it (a
 * folder for each family of layers) is an entry of the nn binaries, and the file of the same path
 * in src/runtime/reference/nn is its reference in TypeScript. So a new kernel is two new files, and
 * no list names it.
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
