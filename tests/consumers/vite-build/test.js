import { build } from 'vite';
import { resultOf, withServer } from './browser.js';

await build({ logLevel: 'warn' });
console.log(await withServer('dist', resultOf));
