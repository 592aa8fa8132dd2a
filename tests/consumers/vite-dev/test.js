import { existsSync } from 'node:fs';
import { createServer } from 'vite';
import { resultOf } from './browser.js';

const server = await createServer({ server: { port: 0, host: '127.0.0.1' }, logLevel: 'warn' });
await server.listen();
console.log(await resultOf(`http://127.0.0.1:${server.httpServer.address().port}/`));
await server.close();
// Vite bundles dependencies before use, including the lazy chunks of binaries.
if (!existsSync('node_modules/.vite/deps/adal-wasm.js'))
  throw new Error('the package was not pre-bundled');
