/**
 * Derives what surrounds the optimizers' kernels from the kernels themselves: the classes that
 * assembly/optimizers/*.ts export with a method `apply`. Its parameters say everything:
 *
 *     apply(p: usize, g: usize, m: usize, v: usize, clip: v128, beta1: v128, …): void
 *
 * are the addresses of a vector of the parameter, its gradient and the state arrays, and then the
 * constants, each broadcast. A kernel may also have
 *
 *     flush(p, g, m, v, length, constants)     removes dying moments from a block
 *     prepare(tensor, group, own, total)       writes the constants itself, from the norms
 *
 * and, in the same file, records of f64 fields named after it: `AdamScalars` for what a tensor
 * keeps between steps, `AdamValues` for what a group tells the kernel.
 *
 * From these the build writes, for AssemblyScript, the loop of every kernel, the dispatch over
 * them, and a record of each kernel's constants by name; and for TypeScript the number of every
 * kernel with the indices of its constants, scalars and values by name, its reference, and
 * the optimizers and state formats by name.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Constants, scalars and values that there is room for (src/memory-layout/optim-records.js). */
const MOST = { constants: 12, states: 3, scalars: 5, values: 8 };
/** Vectors that one turn of a loop updates; without it a step took 1.6 times as long on V8 11. */
const UNROLL = 4;

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');

/** The text from an opening brace to the one that closes it. */
function bodyAt(text, open) {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return text.slice(open + 1, i);
  }
  throw new Error('a brace is never closed');
}

/** The parameters of a method as [name, type] pairs; null without such a method. */
function parametersOf(body, method) {
  const found = new RegExp(`(?:^|\\s)${method}\\(([^)]*)\\)`).exec(body);
  if (!found) return null;
  const parts = found[1].split(',').map((part) => part.trim());
  return parts.filter(Boolean).map((part) => part.split(':').map((word) => word.trim()));
}

/** The classes of a file by name, each with its own text and that of those it extends. */
function classesOf(text) {
  const classes = new Map();
  const pattern =
    /(export\s+)?(?:abstract\s+)?class\s+(\w+)(?:<[^{]*?>)?(?:\s+extends\s+(\w+))?[^{]*\{/g;
  for (const found of text.matchAll(pattern)) {
    const [whole, exported, name, parent] = found;
    const body = bodyAt(text, found.index + whole.length - 1);
    classes.set(name, {
      exported: Boolean(exported),
      body: body + (classes.get(parent)?.body ?? ''),
    });
  }
  return classes;
}

/** Names of the f64 fields of a record in the file; none without it. */
function fieldsOf(classes, record, file) {
  const fields = [...(classes.get(record)?.body ?? '').matchAll(/(\w+)\s*:\s*(\w+)\s*;/g)];
  for (const [, name, type] of fields) {
    if (type !== 'f64') throw new Error(`${file}: ${record}.${name} must be an f64, got ${type}`);
  }
  return fields.map(([, name]) => name);
}

function checkCount(kind, names, where) {
  if (names.length <= MOST[kind]) return names;
  throw new Error(`${where}: expected at most ${MOST[kind]} ${kind}, got ${names.length}`);
}

/**
 * The kernels of a folder, numbered in the order of file names and classes.
 * @throws Error naming file and class where a kernel does not have the form told above
 */
export function readKernels(folder) {
  const kernels = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.ts')) continue;
    const classes = classesOf(withoutComments(readFileSync(join(folder, file), 'utf8')));
    for (const [name, { exported, body }] of classes) {
      const parameters = exported ? parametersOf(body, 'apply') : null;
      if (!parameters) continue;
      const where = `${file}: ${name}.apply`;
      const addresses = parameters.filter(([, type]) => type === 'usize').map(([key]) => key);
      const constants = parameters.filter(([, type]) => type === 'v128').map(([key]) => key);
      if (addresses.length + constants.length < parameters.length || addresses.length < 2) {
        throw new Error(`${where}: expected addresses (usize) and constants (v128), got others`);
      }
      const prepares = parametersOf(body, 'prepare') !== null;
      if (!prepares && constants[0] !== 'clip') {
        const got = constants[0] ?? 'none';
        throw new Error(`${where}: expected the first constant to be "clip", got "${got}"`);
      }
      kernels.push({
        name,
        module: file.replace(/\.ts$/, ''),
        states: checkCount('states', addresses.slice(2), where),
        constants: checkCount('constants', constants, where),
        scalars: checkCount('scalars', fieldsOf(classes, `${name}Scalars`, file), where),
        values: checkCount('values', fieldsOf(classes, `${name}Values`, file), where),
        flushes: parametersOf(body, 'flush') !== null,
        prepares,
      });
    }
  }
  return kernels.map((kernel, id) => ({ ...kernel, id }));
}

/** The classes of a folder of state formats, numbered from 1: 0 is float32 as it is. */
export function readFormats(folder) {
  const formats = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.ts')) continue;
    const classes = classesOf(withoutComments(readFileSync(join(folder, file), 'utf8')));
    for (const [name, { exported, body }] of classes) {
      if (!exported || !parametersOf(body, 'decodeMoment')) continue;
      if (!parametersOf(body, 'encodeMoment')) {
        throw new Error(`${file}: ${name} has "decodeMoment" and needs "encodeMoment"`);
      }
      formats.push({ name, module: file.replace(/\.ts$/, ''), id: formats.length + 1 });
    }
  }
  return formats;
}

const HEADER = '/** Written by scripts/generate/kernels.js; do not edit. */';

/** The kernels' numbers, and records of their constants by name, for AssemblyScript. */
export function constantsOf(kernels) {
  const records = kernels.map(({ id, name, constants }) => [
    `export const ${name}Kernel: i32 = ${id};`,
    '@unmanaged',
    `export class ${name}Constants {`,
    ...constants.map((constant) => `  ${constant}: f32;`),
    '}',
    '',
  ]);
  return [HEADER, ...records.flat()].join('\n');
}

const step = (names, bytes) => names.map((name) => (bytes ? `${name} + ${bytes}` : name));

/** The loop of one kernel over a block. */
function loopOf({ name, states, constants, flushes }) {
  const addresses = ['p', 'g', ...states.map((_, i) => `s${i}`)];
  const kernel = `changetype<${name}>(0)`;
  const turns = Array.from({ length: UNROLL }, (_, i) => {
    const own = [...step(addresses, 16 * i), ...constants].join(', ');
    return `    ${kernel}.apply(${own});`;
  });
  const bytes = 16 * UNROLL;
  const first = addresses.map((address) => (address === 'p' ? 'begin' : `${address} - bytes`));
  return [
    `function drive${name}(`,
    `  tensor: TensorRecord, ${addresses.map((a) => `${a}: usize`).join(', ')}, length: usize,`,
    '): void {',
    '  const constants = tensor.constants;',
    ...constants.map((c, i) => `  const ${c} = v128.load32_splat(constants, ${4 * i});`),
    ...(flushes ? ['  const begin = p;'] : []),
    `  for (const end = p + (length << 2); p < end; p += ${bytes}) {`,
    ...turns,
    ...addresses.slice(1).map((address) => `    ${address} += ${bytes};`),
    '  }',
    ...(flushes
      ? [
          '  if (tensor.flush) {',
          '    const bytes = p - begin;',
          `    ${kernel}.flush(${first.join(', ')}, length, constants);`,
          '  }',
        ]
      : []),
    '}',
    '',
  ];
}

/** Loops and dispatch, for AssemblyScript. */
export function dispatchOf(kernels, formats) {
  const imports = [...kernels, ...formats].map(({ name, module, prepares }) => {
    const folder = prepares === undefined ? 'state' : 'optimizers';
    return `import { ${name} } from '../../assembly/${folder}/${module}';`;
  });
  const applied = kernels.map(({ id, name, states }) => {
    const own = ['p', 'g', ...states.map((_, i) => `s${i}`)].join(', ');
    return `    case ${id}: return drive${name}(tensor, ${own}, length);`;
  });
  const prepared = kernels
    .filter(({ prepares }) => prepares)
    .map(
      ({ id, name }) =>
        `    case ${id}: return changetype<${name}>(0).prepare(tensor, group, own, total);`,
    );
  const coded = (method, parameters) =>
    formats.map(
      ({ id, name }) => `    case ${id}: return changetype<${name}>(0).${method}(${parameters});`,
    );
  return [
    HEADER,
    ...imports,
    "import { prepareConstants } from '../../assembly/optimizers/kernel';",
    "import { GroupRecord, TensorRecord } from './optim-records';",
    '',
    ...kernels.flatMap(loopOf),
    '/** Updates `length` elements, a multiple of UNROLL, at these addresses. */',
    'export function applyKernel(',
    '  kernel: i32, tensor: TensorRecord, p: usize, g: usize, s0: usize, s1: usize, s2: usize,',
    '  length: usize,',
    '): void {',
    '  switch (kernel) {',
    ...applied,
    '  }',
    '}',
    '',
    "/** Completes a tensor's constants once the norms are known; false refuses the step. */",
    'export function prepareKernel(',
    '  kernel: i32, tensor: TensorRecord, group: GroupRecord, own: f64, total: f64,',
    '): bool {',
    '  switch (kernel) {',
    ...prepared,
    '    default: return prepareConstants(tensor, group, own);',
    '  }',
    '}',
    '',
    '/** Decodes `count` elements of a moment, from element `first` on, to f32. */',
    'export function decodeState(',
    '  format: i32, second: bool, to: usize, codes: usize, scales: usize, first: usize,',
    '  count: usize,',
    '): void {',
    '  switch (format) {',
    ...coded('decodeMoment', 'second, to, codes, scales, first, count'),
    '  }',
    '}',
    '',
    '/** Encodes them again. */',
    'export function encodeState(',
    '  format: i32, second: bool, codes: usize, scales: usize, from: usize, first: usize,',
    '  count: usize, key: u32,',
    '): void {',
    '  switch (format) {',
    ...coded('encodeMoment', 'second, codes, scales, from, first, count, key'),
    '  }',
    '}',
    '',
  ].join('\n');
}

/**
 * Imports of the twins of all kernels: what the file of the same name in src/runtime/reference
 * exports under the same name.
 * @throws Error naming the file and the export that is missing
 */
function importsOf(kernels, reference) {
  const modules = new Map();
  for (const { name, module } of kernels) {
    const file = join(reference, 'optimizers', `${module}.ts`);
    const text = existsSync(file) ? withoutComments(readFileSync(file, 'utf8')) : '';
    if (!new RegExp(`export const ${name}\\b`).test(text)) {
      throw new Error(`${file}: expected "export const ${name}", the reference of the kernel`);
    }
    modules.set(module, [...(modules.get(module) ?? []), name]);
  }
  return [...modules].map(([module, names]) => {
    const path = `../src/runtime/reference/optimizers/${module}`;
    return `import { ${names.join(', ')} } from '${path}';`;
  });
}

/** The path of a copied file's import, as the copy in build/encoders needs it. */
const fromEncoders = (path) =>
  relative('build/encoders', join('src/optimizers/state-formats', path)).replaceAll('\\', '/');

/**
 * The files that encode state formats, by path in build/: copies of the codecs' own. Only the
 * reference backend needs what encodes, and bundlers put a whole module into one chunk, so the
 * copy keeps it out of all others.
 * @param folder of the codecs, each in the file that is named like its kernel's
 * @throws Error naming a file that lacks its encoder
 */
export function encodersOf(formats, folder) {
  const files = new Map();
  for (const { module } of formats) {
    const file = join(folder, `${module}.ts`);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const [, encoder] = /^export const (\w+): StateEncoder\b/m.exec(text) ?? [];
    if (!encoder) {
      const expected = '"export const …: StateEncoder", which encodes as the kernel does';
      throw new Error(`${file}: expected ${expected}`);
    }
    const copy = text.replace(/ from '(\.[^']*)'/g, (_, path) => ` from '${fromEncoders(path)}'`);
    files.set(`encoders/${module}.ts`, { encoder, text: `${HEADER}\n${copy}` });
  }
  return files;
}

/**
 * The reference kernels by number, for TypeScript, and the encoders of state formats.
 * @param encoders what `encodersOf` returns
 * @throws Error naming the file and the export that is missing
 */
export function referencesOf(kernels, formats, reference, encoders) {
  const encoderOf = ({ module }) => encoders.get(`encoders/${module}.ts`).encoder;
  return [
    HEADER,
    "import type { ReferenceKernel, StateEncoder } from '../src/runtime/kernels-optim';",
    ...importsOf(kernels, reference),
    ...formats.map(
      (format) => `import { ${encoderOf(format)} } from './encoders/${format.module}';`,
    ),
    '',
    '/** The kernels by number, each with the names of its constants in order. */',
    'export const REFERENCE_KERNELS: readonly {',
    '  readonly names: readonly string[];',
    '  readonly kernel: ReferenceKernel;',
    '}[] = [',
    ...kernels.map(({ name, constants }) => {
      const names = constants.map((constant) => `'${constant}'`).join(', ');
      return `  { names: [${names}], kernel: ${name} },`;
    }),
    '];',
    '',
    '/** The encoders of state formats by id. */',
    'export const REFERENCE_ENCODERS: Readonly<Record<number, StateEncoder>> = {',
    ...formats.map((format) => `  ${format.id}: ${encoderOf(format)},`),
    '};',
    '',
  ].join('\n');
}

/**
 * The codecs and layouts of state formats, for TypeScript: those that the files of
 * src/optimizers/state-formats declare.
 * @throws Error naming a file with a codec and no layout
 */
export function formatsOf(folder) {
  const [imports, codecs, layouts] = [[], [], []];
  for (const file of readdirSync(folder).sort()) {
    const text = withoutComments(readFileSync(join(folder, file), 'utf8'));
    const [, codec] = /^export const (\w+): StateCodec</m.exec(text) ?? [];
    if (!codec) continue;
    const [, layout] = /^export const (\w+): StateLayout</m.exec(text) ?? [];
    if (!layout) throw new Error(`${file}: expected the layout of ${codec}, a StateLayout`);
    const path = `../src/optimizers/state-formats/${file.replace(/\.ts$/, '')}`;
    imports.push(`import { ${codec}, ${layout} } from '${path}';`);
    codecs.push(codec);
    layouts.push(layout);
  }
  return [
    HEADER,
    ...imports,
    '',
    '/** The codecs of all compact state formats. */',
    `export const CODECS = [${codecs.join(', ')}] as const;`,
    '',
    '/** Their layouts. */',
    `export const LAYOUTS = [${layouts.join(', ')}] as const;`,
    '',
  ].join('\n');
}

/**
 * The optimizers by name, for TypeScript: the classes of src/optimizers that extend `Optimizer`,
 * each with the `name` that its declaration gives.
 * @throws Error naming a file with a class and no name
 */
export function loadersOf(folder) {
  const loaders = [];
  const first = (file) => (file === 'adal.ts' ? 0 : 1);
  const files = readdirSync(folder).sort();
  for (const file of files.sort((a, b) => first(a) - first(b))) {
    if (!file.endsWith('.ts')) continue;
    const text = withoutComments(readFileSync(join(folder, file), 'utf8'));
    const [, optimizer] = /export class (\w+)[^{]*\bextends Optimizer</.exec(text) ?? [];
    if (!optimizer) continue;
    const [, name] = /^ {2}name: '([\w-]+)',$/m.exec(text) ?? [];
    if (!name) throw new Error(`${file}: expected the declaration of ${optimizer} to have a name`);
    const module = file.replace(/\.ts$/, '');
    const path = `../src/optimizers/${module}`;
    loaders.push(`  '${name}': async () => (await import('${path}')).${optimizer},`);
  }
  return [
    HEADER,
    '/** The class of every optimizer, loaded when it is first asked for. */',
    'export const LOADERS = {',
    ...loaders,
    '};',
    '',
  ].join('\n');
}

const indices = (names) => `{ ${names.map((name, index) => `${name}: ${index}`).join(', ')} }`;

/** Numbers and names, for TypeScript. */
export function typescriptOf(kernels, formats) {
  const lines = [HEADER, ''];
  for (const { id, name, module, constants, scalars, values } of kernels) {
    lines.push(
      `/** Kernel ${name} of assembly/optimizers/${module}.ts. */`,
      `export const ${name}Kernel = {`,
      `  id: ${id},`,
      `  constants: ${indices(constants)},`,
      ...(scalars.length > 0 ? [`  scalars: ${indices(scalars)},`] : []),
      ...(values.length > 0 ? [`  values: ${indices(values)},`] : []),
      '} as const;',
      '',
    );
  }
  for (const { id, name, module } of formats) {
    lines.push(
      `/** Id of the state format of assembly/state/${module}.ts. */`,
      `export const ${name}Format = ${id};`,
      '',
    );
  }
  return lines.join('\n');
}
