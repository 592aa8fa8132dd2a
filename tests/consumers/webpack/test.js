import { writeFile } from 'node:fs/promises';
import { resultOf, withServer } from './browser.js';

await writeFile(
  'dist/index.html',
  '<!doctype html><p id="result"></p><script src="main.js"></script>',
);
console.log(await withServer('dist', resultOf));
