/**
 * The runtimes that the suite runs on, a row each. To add one, add a row: `run(row)` returns the
 * rows of the result table, and `emulated` marks runtimes on an emulated CPU, which run beside the
 * others because they take as long as all of them.
 */
import { resolve } from 'node:path';
import { BROWSERS } from './browsers.js';
import { runBrowser } from './pages.js';
import { runProcess } from './processes.js';
import { runWorkerd } from './workerd.js';

const installed = (path) => resolve(import.meta.dirname, 'node_modules', path);

/** A runtime that is a program; it gets the path of child.js and a task as arguments. */
function program(name, command, flags = []) {
  const configurations = ['oracle', 1, 2, 4];
  return { name, run: runProcess, command: [command, ...flags], configurations, emulated: false };
}

/** A program on an emulated CPU: Debian's qemu with the C library of that CPU. */
function emulated(name, [emulator, libraries], command, configurations, more = {}) {
  return {
    ...program(name, emulator, ['-L', libraries, command]),
    configurations,
    emulated: true,
    ...more,
  };
}

const ARM64 = ['/usr/bin/qemu-aarch64-static', '/usr/aarch64-linux-gnu'];
const ARMV7 = ['/usr/bin/qemu-arm-static', '/usr/arm-linux-gnueabihf'];

export const MATRIX = {
  runtimes: [
    ...[20, 22, 24, 26].map((major) =>
      program(`Node ${major}`, installed(`node-${major}/bin/node`), ['--expose-gc']),
    ),
    // Without any permission, and without asking for one.
    program('Deno', installed('@deno/linux-x64-glibc/deno'), [
      'run',
      '--no-prompt',
      '--v8-flags=--expose-gc',
    ]),
    program('Bun', installed('@oven/bun-linux-x64/bin/bun')),
    { name: 'workerd', run: runWorkerd, emulated: false },
    emulated('Node, arm64 (qemu)', ARM64, installed('node-arm64/bin/node'), [1]),
    emulated('Bun, arm64 (qemu)', ARM64, installed('@oven/bun-linux-aarch64/bin/bun'), [2]),
    // Its vector unit flushes subnormal numbers, so the oracle must take over and say why.
    emulated('Node, armv7 (qemu)', ARMV7, installed('node-armv7/bin/node'), [1], {
      backend: 'oracle',
      reason: /subnormal/,
    }),
  ],
  browsers: BROWSERS.map((browser) => ({ ...browser, run: runBrowser, emulated: false })),
};
