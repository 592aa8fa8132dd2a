/**
 * Runs the built command line (dist/cli.js; `npm test` builds it first) as a user would: a process
 * of its own, in a folder of its own.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A folder that the suite's end removes. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'adal-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** How a process is to be ended. */
export interface Ending {
  readonly signal: NodeJS.Signals;
  /** Asked often: whether it is time. */
  readonly when: (stderr: string) => boolean;
}

/** Runs `adal <args>` with `cwd` as its working folder. */
export function adal(args: readonly string[], cwd: string, ending?: Ending): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const result: CliResult = { code: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (result.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (result.stderr += text));
    const timer = setInterval(() => {
      if (!ending?.when(result.stderr)) return;
      clearInterval(timer);
      child.kill(ending.signal);
    }, 10);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(timer);
      resolve({ ...result, code });
    });
  });
}

/** run.json of a run folder. */
export function readRun(folder: string) {
  return JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
}

/** Runs what must be refused: nothing is printed but one line, which begins with the message. */
export async function expectRefusal(
  args: readonly string[],
  cwd: string,
  exitCode: number,
  message: string,
): Promise<void> {
  const { code, stdout, stderr } = await adal(args, cwd);
  expect([code, stdout]).toEqual([exitCode, '']);
  expect(stderr).toMatch(/^adal: .+\n$/);
  expect(stderr.startsWith(`adal: ${message}`) ? '' : stderr).toBe('');
}
