/**
 * Imported before the package: notes what of WebAssembly is touched, and whether threads or workers
 * are started.
 */
export const touched = [];

function watch(owner, name) {
  const original = owner[name];
  if (!original) return;
  const get = () => {
    touched.push(name);
    return original;
  };
  Object.defineProperty(owner, name, { get, configurable: true });
}

for (const name of ['compile', 'instantiate', 'validate', 'Module', 'Instance', 'Memory'])
  watch(WebAssembly, name);
watch(globalThis, 'Worker');
