/**
 * Records uses of WebAssembly and starts of threads and workers. Import it before the package.
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
