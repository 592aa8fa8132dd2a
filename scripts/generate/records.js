/**
 * Writes the accessors of the records in linear memory from their declarations in
 * src/memory-layout/*-records.js: for AssemblyScript a class of inlined properties around an
 * address, for TypeScript a cursor that is moved to an address.
 *
 *     AssemblyScript   changetype<TensorRecord>(address).step
 *     TypeScript       new TensorRecord(memory).at(address).step
 *
 * Both have a constant `<RECORD>_SIZE` in bytes. An array field gives its address in
 * AssemblyScript, the index of its first element in the view of its type in TypeScript, and a
 * constant `<RECORD>_<FIELD>_COUNT`. Fields of a record marked `atomic` are read and written
 * atomically; besides its value each field gives what waiting and notifying take: its address in
 * AssemblyScript, its index in the view in TypeScript.
 */

const BYTES = { u8: 1, i32: 4, u32: 4, f32: 4, pointer: 4, f64: 8, u64: 8 };
const VIEWS = { i32: 'i32', u32: 'u32', f32: 'f32', pointer: 'u32', f64: 'f64', u64: 'u64' };

const align = (offset, to) => Math.ceil(offset / to) * to;

/**
 * The fields of a record with their byte offsets, and its size: a multiple of 8, or of the cache
 * line where a field begins one.
 * @throws Error for a field of an unknown type, or a record longer than its `size`
 */
export function layOut(name, { fields, size: wanted, atomic = false }) {
  let end = 0;
  let strictest = 8;
  const laidOut = Object.entries(fields).map(([field, [type, doc, options = {}]]) => {
    const bytes = BYTES[type];
    if (!bytes) {
      const known = Object.keys(BYTES).join(', ');
      throw new Error(`${name}.${field}: expected a type out of ${known}, got ${type}`);
    }
    const alignment = options.align ?? bytes;
    strictest = Math.max(strictest, alignment);
    const offset = align(end, alignment);
    end = offset + bytes * (options.count ?? 1);
    return { field, type, doc, offset, count: options.count, atomic };
  });
  const size = align(end, strictest);
  if (wanted < size)
    throw new Error(`${name}: its fields take ${size} bytes, its size is ${wanted}`);
  return { fields: laidOut, size: wanted ?? size };
}

/** TensorRecord → TENSOR_RECORD. */
const constantName = (name) => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase();

const header = (source) =>
  `/** Written by scripts/generate/records.js from ${source}; do not edit. */\n`;

const sizeOf = (name, { size, fields }, type) => [
  `/** Bytes of a ${name}. */`,
  `export const ${constantName(name)}_SIZE${type} = ${size};`,
  ...fields
    .filter(({ count }) => count)
    .flatMap(({ field, count }) => [
      `/** Elements of ${name}.${field}. */`,
      `export const ${constantName(name)}_${constantName(field)}_COUNT${type} = ${count};`,
    ]),
  '',
];

/** A property for AssemblyScript. */
function assemblyField({ field, type, doc, offset, count, atomic }) {
  const at = 'changetype<usize>(this)';
  const lines = [`  /** ${doc} */`];
  if (count) return [...lines, `  @inline get ${field}(): usize { return ${at} + ${offset}; }`];
  const stored = type === 'pointer' ? 'u32' : type;
  const shown = type === 'pointer' ? 'usize' : type;
  const value = stored === shown ? 'value' : `<${stored}>value`;
  const [load, store] = atomic ? ['atomic.load', 'atomic.store'] : ['load', 'store'];
  lines.push(
    `  @inline get ${field}(): ${shown} { return ${load}<${stored}>(${at}, ${offset}); }`,
    `  @inline set ${field}(value: ${shown}) { ${store}<${stored}>(${at}, ${value}, ${offset}); }`,
  );
  if (atomic) lines.push(`  @inline get ${field}Address(): usize { return ${at} + ${offset}; }`);
  return lines;
}

/** The accessors for AssemblyScript. */
export function assemblyOf(records, source) {
  const lines = [header(source)];
  for (const [name, record] of Object.entries(records)) {
    const laidOut = layOut(name, record);
    lines.push(...sizeOf(name, laidOut, ': usize'));
    lines.push(`/** ${record.doc} */`, '@unmanaged', `export class ${name} {`);
    lines.push(...laidOut.fields.flatMap(assemblyField), '}', '');
  }
  return lines.join('\n');
}

/** The type of a property for TypeScript. */
function typescriptField({ field, type, doc, count, atomic }) {
  const shown = type === 'u64' ? 'bigint' : 'number';
  const index = atomic && !count ? [`  readonly ${field}Index: number;`] : [];
  const property = count ? `readonly ${field}: number` : `${field}: ${shown}`;
  return [`  /** ${doc} */`, `  ${property};`, ...index];
}

/** The view that a field is read through; for an array, its name by the bits of an element. */
const viewOf = ({ type, count }) => (count ? `array${8 * BYTES[type]}` : VIEWS[type]);

/** What makes the class of a record, from which module, and its argument. */
function factoryOf(fields, atomic) {
  if (atomic) return ['atomicRecordClass', 'atomic-record', offsetsOf(fields)];
  const properties = fields.map((field) => `${field.field}: ${viewOf(field)}(${field.offset})`);
  const imported = ['recordClass', ...new Set(fields.map(viewOf))];
  return [imported.sort().join(', '), 'record-cursor', `{ ${properties.join(', ')} }`];
}

/** The offsets of a record's fields by the view that they are read through. */
function offsetsOf(fields) {
  const views = {};
  for (const field of fields) {
    const view = viewOf(field);
    views[view] = { ...views[view], [field.field]: field.offset };
  }
  return JSON.stringify(views).replaceAll('"', '');
}

/**
 * The accessors for TypeScript: a file for every record, so that bundles have those that they use,
 * by its path in build/, and one that exports them all.
 */
export function typescriptOf(records, source, name) {
  const files = new Map();
  for (const [record, declaration] of Object.entries(records)) {
    const laidOut = layOut(record, declaration);
    const [imported, module, argument] = factoryOf(laidOut.fields, declaration.atomic);
    const factory = declaration.atomic ? 'atomicRecordClass' : 'recordClass';
    const read = laidOut.fields.filter(({ type }) => VIEWS[type]);
    const views = [...new Set(read.map(({ type }) => `'${VIEWS[type]}'`))].join(' | ');
    const lines = [
      header(source),
      `import type { RecordCursor } from '../../src/memory-layout/record-cursor';`,
      `import { ${imported} } from '../../src/memory-layout/${module}';`,
      '',
      ...sizeOf(record, laidOut, ''),
      `/** ${declaration.doc} */`,
      `export interface ${record} extends RecordCursor<${views}> {`,
      ...laidOut.fields.flatMap(typescriptField),
      '}',
      `export const ${record} = /* @__PURE__ */ ${factory}<${record}>(`,
      `  ${argument},`,
      ');',
      '',
    ];
    files.set(`records/${record}.ts`, lines.join('\n'));
  }
  const all = Object.keys(records).map((record) => `export * from './records/${record}';`);
  files.set(`${name}.ts`, [header(source), ...all, ''].join('\n'));
  return files;
}
