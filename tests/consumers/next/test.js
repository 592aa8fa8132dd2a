import { spawn } from 'node:child_process';
import { resultOf } from './browser.js';

const server = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'start', '-p', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const url = await new Promise((resolve, reject) => {
    let text = '';
    server.on('exit', (code) => reject(new Error(`next start ended with ${code}: ${text}`)));
    server.stdout.on('data', (data) => {
      text += data;
      const [found] = /http:\/\/localhost:\d+/.exec(text) ?? [];
      if (found && /Ready/.test(text)) resolve(found);
    });
  });
  const page = await (await fetch(url)).text();
  if (!page.includes('touched: .'))
    throw new Error(`importing on the server ${/touched:[^<]*/.exec(page)}`);
  for (const path of ['/train', '/edge']) console.log(path, await (await fetch(url + path)).text());
  console.log('page', await resultOf(url));
} finally {
  server.removeAllListeners('exit');
  server.kill();
}
