/**
 * A Rollup plugin for type declarations: marks exports that the JavaScript of an entry does not
 * have as types. rollup-plugin-dts exports every class as a value, so that `new Runtime()` would
 * compile although the entry exports `type Runtime` alone.
 */

const EXPORT_LIST = /export (type )?\{([^}]*)\}/g;

/** The names that a built module exports. */
export function exportedNames(code) {
  const items = [...code.matchAll(/export\s*\{([^}]*)\}/g)].flatMap(([, list]) => list.split(','));
  const declared = [...code.matchAll(/export (?:const|let|function|class) ([\w$]+)/g)];
  return new Set([
    ...items.map((item) => item.trim().split(' as ').at(-1)),
    ...declared.map(([, name]) => name),
  ]);
}

/**
 * @param entry returns the code of the built JavaScript of an entry, by its name
 * @returns {import('rollup').Plugin}
 */
export function typeOnlyExports(entry) {
  return {
    name: 'type-only-exports',
    renderChunk(code, chunk) {
      if (!chunk.isEntry) return null;
      const values = exportedNames(entry(chunk.name));
      const marked = code.replace(EXPORT_LIST, (text, isType, list) => {
        if (isType) return text;
        const items = list.split(',').map((item) => item.trim());
        const named = items.filter((item) => item !== '');
        return `export { ${named
          .map((item) => (values.has(item.split(' as ').at(-1)) ? item : `type ${item}`))
          .join(', ')} }`;
      });
      return { code: marked, map: null };
    },
  };
}
