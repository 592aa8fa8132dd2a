/**
 * The kernels of the nn module, by file: every file of assembly/nn is an entry of the nn binaries,
 * and the file of the same name in src/runtime/reference/nn is its reference in TypeScript. So a
 * new kernel is two new files, and no list names it.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';

const KERNELS = 'assembly/nn';
const REFERENCE = 'src/runtime/reference/nn';
const LIST = 'build/reference-nn';

const filesOf = (folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .sort();

/** Paths of the kernels' files. Throws where a kernel has no reference or the reverse. */
export function nnKernels() {
  const [kernels, references] = [filesOf(KERNELS), filesOf(REFERENCE)];
  for (const file of kernels)
    if (!references.includes(file))
      throw new Error(`${KERNELS}/${file} has no reference: add ${REFERENCE}/${file}`);
  for (const file of references)
    if (!kernels.includes(file))
      throw new Error(`${REFERENCE}/${file} has no kernel: add ${KERNELS}/${file}`);
  return kernels.map((file) => `${KERNELS}/${file}`);
}

/** Writes the module that puts the kernels of all reference files into one object. */
export function writeReferenceList() {
  const modules = filesOf(REFERENCE).map((file) => file.replace(/\.ts$/, ''));
  const variable = (module) => module.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  const text = [
    `/** Written by scripts/nn-kernels.js from the files of ${REFERENCE}. */`,
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
  ];
  mkdirSync('build', { recursive: true });
  writeFileSync(`${LIST}.ts`, text.join('\n'));
}
