import { readdirSync, readFileSync } from 'node:fs';
import { Miniflare } from 'miniflare';

const files = readdirSync('dist').filter((file) => /\.(js|wasm)$/.test(file));
const inlined = readFileSync('dist/worker.js', 'utf8').includes('AGFzbQ');
if (inlined) throw new Error('binaries are inlined, where they cannot be compiled');
const modules = files.map((path) => ({
  type: path.endsWith('.js') ? 'ESModule' : 'CompiledWasm',
  path: `dist/${path}`,
}));
modules.sort((a, b) => Number(a.type === 'CompiledWasm') - Number(b.type === 'CompiledWasm'));
const miniflare = new Miniflare({ modules, modulesRoot: 'dist', compatibilityDate: '2026-06-01' });
const response = await miniflare.dispatchFetch('http://x/');
console.log(await response.text());
await miniflare.dispose();
