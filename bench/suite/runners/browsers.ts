/**
 * Runs jobs in browsers: a page asks this process for them. The test matrix (tests/runtimes) knows
 * how to start browsers, so this needs a checkout of the repository.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job, Report } from '../job';
import { createFileSource } from './file-source';
import { type Message, parseMessage } from './message';
import { type PageServer, startPageServer } from './page-server';
import type { Places } from './processes';
import type { Lane, Runner } from './runner';
import { createSiteFiles } from './site-files';

/** As tests/runtimes/browsers.js has them. */
interface Browser {
  readonly name: string;
  missing(): string | null;
  open(url: string, profile: string): Promise<() => Promise<void>>;
}

const NAMES = ['Chromium', 'Firefox', 'WebKit'];
/** The longest that a page may work on one job. */
const JOB_TIMEOUT_MS = 1_800_000;

export function browserRunners(places: Places): Runner[] {
  return NAMES.map((name) => {
    let browser: Browser | undefined;
    return {
      name: name.toLowerCase(),
      missing: () =>
        existsSync(places.browsers)
          ? null
          : `${name}: browsers are driven from a checkout alone; adal-bench serve opens the page`,
      async open() {
        const { BROWSERS } = (await import(/* @vite-ignore */ places.browsers.href)) as {
          BROWSERS: Browser[];
        };
        browser ??= BROWSERS.find((each) => each.name === name)!;
        const missing = browser.missing();
        if (missing) throw new Error(missing);
        return [await PageLane.open(browser, places)];
      },
    };
  });
}

/** Jobs are handed to the page, and its reports to whoever waits for the job that they name. */
class PageLane implements Lane {
  /** Of the job under way; null when the page has none. */
  #receive: ((message: Message) => void) | null = null;
  /** Jobs are counted, so that a report about an earlier one has no effect. */
  #number = 0;
  /** Gives the waiting page its next job. */
  #waiting: ((job: string) => void) | null = null;
  #next: string | null = null;
  #close: () => Promise<void> = async () => {};

  static async open(browser: Browser, places: Places): Promise<PageLane> {
    const lane = new PageLane();
    const server = await startPageServer({
      job: () => lane.#take(),
      report: (text, query) => lane.#report(text, query),
      file: createSiteFiles(places, createFileSource(places.data)),
    });
    await lane.#start(browser, server);
    return lane;
  }

  async #start(browser: Browser, server: PageServer): Promise<void> {
    const profile = await mkdtemp(join(tmpdir(), 'adal-bench-'));
    const end = await browser.open(`${server.url}index.html#driven`, profile);
    this.#close = async () => {
      await end();
      server.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    };
  }

  execute(job: Job, report: Report): Promise<void> {
    this.#number++;
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('the page did not report in time')),
        JOB_TIMEOUT_MS,
      );
      this.#receive = (message) => {
        if (message.entry) return report(message.entry);
        clearTimeout(timer);
        if (message.done) resolve();
        else reject(new Error(message.error));
      };
      this.#give(JSON.stringify({ number: this.#number, job }));
    }).finally(() => {
      this.#receive = null;
    });
  }

  async close(): Promise<void> {
    this.#receive = null;
    await this.#close();
  }

  #give(job: string): void {
    if (this.#waiting) this.#waiting(job);
    else this.#next = job;
    this.#waiting = null;
  }

  #take(): Promise<string> {
    const next = this.#next;
    this.#next = null;
    return next === null
      ? new Promise((resolve) => (this.#waiting = resolve))
      : Promise.resolve(next);
  }

  /** Takes a report about the job under way, and refuses others. */
  #report(text: string, query: URLSearchParams): string | null {
    const message = parseMessage(text);
    if (typeof message === 'string') return message;
    if (this.#receive === null || query.get('job') !== String(this.#number))
      return 'this job is not under way';
    this.#receive(message);
    return null;
  }
}
