/**
 * Writes the derived sources that both compilers need into build/: accessors of records
 * (scripts/generate/records.js) and the list of nn kernels (scripts/generate/nn-kernels.js).
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { referenceListOf } from './nn-kernels.js';
import { typescriptOf as accessorsOf, assemblyOf } from './records.js';

/** @param root folder of the repository, or of a copy of it */
export async function generate(root = '.') {
  const layouts = join(root, 'src/memory-layout');
  const assembly = join(root, 'build/assembly');
  await mkdir(assembly, { recursive: true });
  for (const file of await readdir(layouts)) {
    const [, name] = /^(.*-records)\.js$/.exec(file) ?? [];
    if (!name) continue;
    const { default: records } = await import(pathToFileURL(resolve(layouts, file)).href);
    const source = `src/memory-layout/${file}`;
    await writeFile(join(assembly, `${name}.ts`), assemblyOf(records, source));
    await writeFile(join(root, 'build', `${name}.ts`), accessorsOf(records, source));
  }
  await writeFile(join(root, 'build/reference-nn.ts'), referenceListOf(root));
}
