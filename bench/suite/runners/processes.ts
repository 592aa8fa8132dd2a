/** Runs jobs in processes of Node, Deno and Bun. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Job, Report } from '../job';
import { type Message, parseMessage } from './message';
import type { ColdSample, Lane, Runner } from './runner';

/** Where the suite's files are. */
export interface Places {
  /** The compiled child program. */
  readonly child: URL;
  /** The compiled program that does nothing but start. */
  readonly cold: URL;
  /** bench/data, ending in a slash. */
  readonly data: URL;
  /** Built modules of other libraries, bench/peers/dist, ending in a slash. */
  readonly peers: URL;
  /** The built page, bench/dist/site/, ending in a slash. */
  readonly site: URL;
  /** What starts browsers: tests/runtimes/browsers.js. */
  readonly browsers: URL;
  /** Where runtimes may be installed besides the path: a node_modules folder. */
  readonly runtimes: URL;
  /** Modules of `--with`, as file: URLs. */
  readonly extensions: readonly string[];
  /** Version of the library that is installed here. */
  readonly libraryVersion: string;
}

function findOnPath(program: string): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find(existsSync) ?? null;
}

function createProcessRunner(
  name: string,
  program: () => string | null,
  flags: readonly string[],
  { child, cold, data, peers, extensions }: Places,
): Runner {
  return {
    name,
    missing: () => (program() ? null : `${name} is not installed here`),
    coldStart: async () => startCold(program()!, [...flags, fileURLToPath(cold)]),
    open: async (count) => {
      const args = [...flags, fileURLToPath(child), data.href, peers.href, ...extensions];
      return Array.from({ length: count }, () => new ProcessLane(program()!, args));
    },
  };
}

export function processRunners(places: Places): Runner[] {
  const installed = (path: string) => {
    const file = fileURLToPath(new URL(path, places.runtimes));
    return existsSync(file) ? file : null;
  };
  const versions = [20, 22, 24, 26].map((major) => {
    return createProcessRunner(
      `node-${major}`,
      () => installed(`node-${major}/bin/node`),
      [],
      places,
    );
  });
  return [
    createProcessRunner('node', () => process.execPath, [], places),
    ...versions,
    createProcessRunner(
      'deno',
      () => findOnPath('deno') ?? installed('@deno/linux-x64-glibc/deno'),
      ['run', '--no-prompt', '--allow-read', '--allow-sys', '--allow-env'],
      places,
    ),
    createProcessRunner(
      'bun',
      () => findOnPath('bun') ?? installed('@oven/bun-linux-x64/bin/bun'),
      [],
      places,
    ),
  ];
}

async function startCold(program: string, args: readonly string[]): Promise<ColdSample> {
  const { stdout } = await promisify(execFile)(program, args);
  return JSON.parse(stdout);
}

/** A process that takes jobs as lines of JSON on stdin, and writes entries as lines on stdout. */
export class ProcessLane implements Lane {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #errors = '';
  #receive: (message: Message) => void = () => {};

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr!.on('data', (text) => (this.#errors = (this.#errors + text).slice(-4000)));
    this.#child.stdin!.on('error', () => {}); // the end of the process is what is reported
    this.#ended = new Promise((resolve) =>
      this.#child.on('close', resolve).on('error', () => resolve(null)),
    );
    this.#ended.then((code) =>
      this.#receive({ error: `the process ended with code ${code}\n${this.#errors}` }),
    );
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      // Libraries print lines of their own; what begins as a message must be one.
      if (!line.startsWith('{')) return;
      const message = parseMessage(line);
      this.#receive(typeof message === 'string' ? { error: message } : message);
    });
  }

  execute(job: Job, report: Report): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#receive = (message) => {
        if (message.entry) report(message.entry);
        else if (message.done) resolve();
        else reject(new Error(message.error));
      };
      if (this.#child.exitCode !== null)
        reject(new Error(`the process has ended\n${this.#errors}`));
      this.#child.stdin!.write(`${JSON.stringify(job)}\n`);
    });
  }

  async close(): Promise<void> {
    this.#receive = () => {};
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#ended;
    clearTimeout(timer);
  }
}
