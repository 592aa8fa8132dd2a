/**
 * Browsers: a page that asks this process for jobs. How browsers are started is known to the test matrix, in tests/runtimes, which a
 * clone has; without it there is no browser.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { Job, Report } from '../executor';
import type { Entry } from '../result';
import { createFileSource } from './file-source';
import { peerFile } from './peer-bundle';
import type { Places } from './processes';
import type { Lane, Runner } from './runner';

/** As tests/runtimes/browsers.js has them. */
interface Browser {
  readonly name: string;
  missing(): string | null;
  open(url: string, profile: string): Promise<() => Promise<void>>;
}

const NAMES = ['Chromium', 'Firefox', 'WebKit'];
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
/** Cross-origin isolation, without which a page has no threads. */
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cache-control': 'no-store',
};
/** The longest that a page may work on one job. */
const JOB_TIMEOUT_MS = 1_800_000;

export function browserRunners(places: Places): Runner[] {
  return NAMES.map((name) => {
    let browser: Browser | undefined;
    return {
      name: name.toLowerCase(),
      missing: () => (existsSync(places.browsers) ? null : `${name}: the drivers of browsers are in a clone of the repository`),
      async open() {
        const { BROWSERS } = (await import(/* @vite-ignore */ places.browsers.href)) as { BROWSERS: Browser[] };
        browser ??= BROWSERS.find((each) => each.name === name)!;
        const missing = browser.missing();
        if (missing) throw new Error(missing);
        return [await PageLane.open(browser, places)];
      },
    };
  });
}

interface Message {
  readonly entry?: Entry;
  readonly done?: boolean;
  readonly error?: string;
}

class PageLane implements Lane {
  #receive: (message: Message) => void = () => {};
  /** Gives the waiting page its next job. */
  #waiting: ((job: Job | null) => void) | null = null;
  #next: { job: Job | null } | null = null;
  #close: () => Promise<void> = async () => {};
  readonly #places: Places;

  private constructor(places: Places) {
    this.#places = places;
  }

  static async open(browser: Browser, places: Places): Promise<PageLane> {
    const lane = new PageLane(places);
    const server = createServer((request, response) => {
      lane.#serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const profile = await mkdtemp(join(tmpdir(), 'adal-bench-'));
    const { port } = server.address() as AddressInfo;
    const end = await browser.open(`http://localhost:${port}/index.html#driven`, profile);
    lane.#close = async () => {
      await end();
      server.close();
      server.closeAllConnections();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    };
    return lane;
  }

  execute(job: Job, report: Report): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the page did not report in time')), JOB_TIMEOUT_MS);
      this.#receive = ({ entry, done, error }) => {
        if (entry) return report(entry);
        clearTimeout(timer);
        if (done) resolve();
        else reject(new Error(error));
      };
      this.#give(job);
    });
  }

  async close(): Promise<void> {
    this.#receive = () => {};
    await this.#close();
  }

  #give(job: Job | null): void {
    if (this.#waiting) this.#waiting(job);
    else this.#next = { job };
    this.#waiting = null;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, 'http://localhost');
    if (pathname === '/job') {
      const job = this.#next ? this.#next.job : await new Promise<Job | null>((resolve) => (this.#waiting = resolve));
      this.#next = null;
      response.writeHead(200, HEADERS).end(JSON.stringify(job));
    } else if (pathname === '/report') {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.writeHead(204, HEADERS).end();
      this.#receive(JSON.parse(body));
    } else {
      const content = await this.#file(decodeURIComponent(pathname.slice(1)));
      if (!content) response.writeHead(404).end();
      else
        response
          .writeHead(200, { 'content-type': TYPES[extname(pathname)] ?? 'application/octet-stream', ...HEADERS })
          .end(content);
    }
  }

  async #file(name: string): Promise<string | Uint8Array | null> {
    if (name.includes('..')) return null;
    try {
      if (name.startsWith('data/')) return await createFileSource(this.#places.data).load(name.slice('data/'.length));
      if (name.startsWith('peers/')) return await peerFile(this.#places.peers, name.slice('peers/'.length));
      return await readFile(new URL(name, this.#places.site));
    } catch {
      return null;
    }
  }
}
