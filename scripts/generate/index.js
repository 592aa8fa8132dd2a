/**
 * Writes the derived sources that both compilers need into build/: accessors of records
 * (scripts/generate/records.js), loops and dispatch of the optimizers' kernels (kernels.js), and
 * the lists of nn kernels (nn-kernels.js).
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  constantsOf,
  dispatchOf,
  encodersOf,
  formatsOf,
  loadersOf,
  readFormats,
  readKernels,
  referencesOf,
  typescriptOf,
} from './kernels.js';
import { familiesOf, referenceListOf } from './nn-kernels.js';
import { typescriptOf as accessorsOf, assemblyOf } from './records.js';

/** @param root folder of the repository, or of a copy of it */
export async function generate(root = '.') {
  const layouts = join(root, 'src/memory-layout');
  const assembly = join(root, 'build/assembly');
  await mkdir(assembly, { recursive: true });
  await mkdir(join(root, 'build/records'), { recursive: true });
  for (const file of await readdir(layouts)) {
    const [, name] = /^(.*-records)\.js$/.exec(file) ?? [];
    if (!name) continue;
    const { default: records } = await import(pathToFileURL(resolve(layouts, file)).href);
    const source = `src/memory-layout/${file}`;
    await writeFile(join(assembly, `${name}.ts`), assemblyOf(records, source));
    for (const [path, text] of accessorsOf(records, source, name))
      await writeFile(join(root, 'build', path), text);
  }
  const kernels = readKernels(join(root, 'assembly/optimizers'));
  const formats = readFormats(join(root, 'assembly/state'));
  await writeFile(join(assembly, 'kernel-constants.ts'), constantsOf(kernels));
  await writeFile(join(assembly, 'kernel-dispatch.ts'), dispatchOf(kernels, formats));
  const write = (file, text) => writeFile(join(root, 'build', file), text);
  await write('optimizer-kernels.ts', typescriptOf(kernels, formats));
  const reference = join(root, 'src/runtime/reference');
  const codecs = join(root, 'src/optimizers/state-formats');
  const encoders = encodersOf(formats, codecs);
  await mkdir(join(root, 'build/encoders'), { recursive: true });
  for (const [path, { text }] of encoders) await write(path, text);
  await write('reference-kernels.ts', referencesOf(kernels, formats, reference, encoders));
  await write('optimizer-formats.ts', formatsOf(codecs));
  await write('optimizer-loaders.ts', loadersOf(join(root, 'src/optimizers')));
  await write('reference-nn.ts', referenceListOf(root));
  await write('nn-families.ts', familiesOf(root));
}
