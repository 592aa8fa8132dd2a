/** Starts browsers and runs tasks on their pages, one after the other. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { startServer } from './server.js';

/** Returns the path of a program, or null. */
export function find(program) {
  return (
    (process.env.PATH ?? '')
      .split(delimiter)
      .map((folder) => join(folder, program))
      .find(existsSync) ?? null
  );
}

/** Starts a program; the returned function ends it with all its children. */
function start(command, args, environment = {}) {
  const child = spawn(command, args, {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, ...environment },
  });
  const ended = new Promise((resolve) => child.on('exit', resolve).on('error', resolve));
  return async () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has already ended.
    }
    await ended;
  };
}

export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--js-flags=--expose-gc',
  '--enable-precise-memory-info',
];

const FIREFOX_PREFERENCES = `
user_pref('app.update.enabled', false);
user_pref('browser.aboutwelcome.enabled', false);
user_pref('browser.shell.checkDefaultBrowser', false);
user_pref('datareporting.policy.dataSubmissionEnabled', false);
user_pref('network.captive-portal-service.enabled', false);
user_pref('network.connectivity-service.enabled', false);
user_pref('services.settings.server', 'http://localhost:9');
user_pref('toolkit.telemetry.enabled', false);
`;

const MINI_BROWSERS = ['4.1', '6.0', '4.0'].map(
  (version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`,
);

/** The browsers. `open(url, profile)` starts one on a page and returns a function that ends it. */
export const BROWSERS = [
  {
    name: 'Chromium',
    missing: () => (find('chromium') ? null : 'chromium is not installed (Debian: chromium)'),
    async open(url, profile) {
      const { chromium } = await import('playwright-core');
      const context = await chromium.launchPersistentContext(profile, {
        executablePath: find('chromium'),
        headless: true,
        args: CHROMIUM_FLAGS,
      });
      const page = context.pages()[0] ?? (await context.newPage());
      page.on('crash', () => console.error('Chromium: the page crashed'));
      page.on('pageerror', (error) => console.error(`Chromium: ${error}`));
      await page.goto(url);
      return () => context.close();
    },
  },
  {
    name: 'Firefox',
    missing: () =>
      find('firefox-esr') ? null : 'firefox-esr is not installed (Debian: firefox-esr)',
    async open(url, profile) {
      await writeFile(join(profile, 'user.js'), FIREFOX_PREFERENCES);
      return start('firefox-esr', ['--headless', '--no-remote', '--profile', profile, url], {
        HOME: profile,
      });
    },
  },
  {
    name: 'WebKit',
    note:
      'WebKitGTK has SharedArrayBuffer only with JSC_useSharedArrayBuffer=true, ' +
      'which is set here; without it there is one thread',
    missing() {
      if (!MINI_BROWSERS.some(existsSync))
        return 'WebKitGTK has no MiniBrowser here (Debian: webkit2gtk-driver)';
      return find('xvfb-run') ? null : 'WebKitGTK needs a display (Debian: xvfb)';
    },
    async open(url, profile) {
      const browser = MINI_BROWSERS.find(existsSync);
      const environment = {
        HOME: profile,
        XDG_RUNTIME_DIR: profile,
        LIBGL_ALWAYS_SOFTWARE: '1',
        JSC_useSharedArrayBuffer: 'true',
      };
      return start('xvfb-run', ['-a', browser, '--private', url], environment);
    },
  },
];

const TASK_TIMEOUT_MS = 90_000;

/**
 * Runs `tasks` ({ headers, task, argument }) on a browser. If a page does not report in time,
 * restarts the browser once and logs it, because browsers hang too; gives up on a page that is late
 * again.
 * @returns for each task, what its page posted, or { error }
 */
export async function runTasks(browser, tasks) {
  const outcomes = tasks.map(() => null);
  const late = new Set();
  let arrived = () => {};
  const addressOf = (id) => {
    const { headers, task, argument } = tasks[id];
    const query = new URLSearchParams({ id: String(id), task, argument: JSON.stringify(argument) });
    return `${server.url}/${headers}/page.html?${query}`;
  };
  const server = await startServer((report) => {
    if (!Number.isInteger(report?.id) || !(report.id in tasks)) throw new Error('it names no task');
    outcomes[report.id] = report;
    arrived();
    return report.id + 1 < tasks.length ? addressOf(report.id + 1) : null;
  });
  for (let id = 0; id >= 0; id = outcomes.indexOf(null)) {
    const profile = await mkdtemp(join(tmpdir(), 'adal-browser-'));
    const close = await browser.open(addressOf(id), profile);
    for (; id < tasks.length; id++) {
      const timedOut = await waitFor(
        () => outcomes[id] !== null,
        (wake) => {
          arrived = wake;
        },
      );
      if (!timedOut) continue;
      const error = `${tasks[id].task}: the page did not report within ${TASK_TIMEOUT_MS / 1000} s`;
      if (late.has(id)) outcomes[id] = { error };
      else console.error(`${browser.name}: ${error}; once more, in a new browser`);
      late.add(id);
      break;
    }
    await close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  server.close();
  return outcomes;
}

/**
 * Waits for `condition` and returns whether the time ran out first. `subscribe` receives a function
 * to call when the condition may have changed.
 */
async function waitFor(condition, subscribe) {
  const deadline = Date.now() + TASK_TIMEOUT_MS;
  while (!condition()) {
    const left = deadline - Date.now();
    if (left <= 0) return true;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, left);
      subscribe(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  return false;
}
