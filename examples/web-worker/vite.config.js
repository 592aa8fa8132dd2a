// The package loads its binaries lazily, and Vite splits code in workers only if they are modules.
export default { worker: { format: 'es' } };
