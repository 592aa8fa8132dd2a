// The package loads its binaries lazily; Vite splits a worker's code only if it is a module.
export default { worker: { format: 'es' } };
