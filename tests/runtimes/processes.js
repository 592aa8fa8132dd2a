/** Runs the suite on a runtime that is a process, such as Node, Deno or Bun. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CYCLES, checkLifetimes } from './lifetimes.js';

const CHILD = resolve(import.meta.dirname, 'child.js');
const TIMEOUT_MS = 600_000;
/** Long enough for any program here; a thread that keeps its process alive exceeds it. */
const EXIT_TIMEOUT_MS = 20_000;

const BACKENDS = { oracle: 'oracle', 1: 'simd' };
const backendOf = (configuration) => BACKENDS[configuration] ?? 'threads';

/** Returns why the runtime cannot run here; null if it can. */
function whyMissing({ command }) {
  const absent = command.find((part) => part.startsWith('/') && !existsSync(part));
  return absent ? `${absent} is not installed` : null;
}

/** Runs one task in a process of its own, which must exit by itself with code 0. */
async function execute({ command }, task, argument, timeoutMs = TIMEOUT_MS) {
  const [program, ...args] = [...command, CHILD, task, JSON.stringify(argument ?? null)];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (errors += text));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const code = await new Promise((ended) => child.on('close', ended).on('error', ended));
  clearTimeout(timer);
  if (late) throw new Error(`${task}: did not end within ${timeoutMs / 1000} s`);
  if (code !== 0) throw new Error(`${task}: exit code ${code}\n${errors.slice(-2000)}`);
  const lines = output.split('\n').filter((line) => line.startsWith('REPORT '));
  return lines.map((line) => JSON.parse(line.slice('REPORT '.length)));
}

/** Runs everything on one runtime of the matrix and returns a row of the table. */
export async function runProcess(runtime) {
  const row = { runtime: runtime.name, cells: [], passed: 0, failures: [], notes: [] };
  const unavailable = whyMissing(runtime);
  if (unavailable) return { ...row, unavailable };
  const attempt = async (name, body) => {
    try {
      await body();
      row.passed++;
    } catch (error) {
      row.failures.push({ name, error: String(error) });
    }
  };
  for (const configuration of runtime.configurations) {
    await attempt(`threads ${configuration}: ends by itself, with code 0`, async () => {
      const backend = runtime.backend ?? backendOf(configuration);
      const [{ runtime: name, ...report }] = await execute(runtime, 'suite', {
        configuration,
        backend,
      });
      row.version = name;
      row.cells.push(report);
      if (!runtime.reason) return;
      row.notes.push(report.info.backendReason);
      if (!runtime.reason.test(report.info.backendReason))
        throw new Error(`the reason was: ${report.info.backendReason}`);
    });
  }
  if (runtime.emulated) return row;
  const [programs] = await execute(runtime, 'programs').catch(() => [
    ['that has only created a runtime'],
  ]);
  for (const program of programs) {
    await attempt(`a program ${program} ends by itself`, async () => {
      const reports = await execute(runtime, 'program', program, EXIT_TIMEOUT_MS);
      if (!reports.some(({ threads }) => threads === 2)) throw new Error('it had no threads');
      if (program.includes('did not wait') && !reports.some(({ step }) => step === 1))
        throw new Error('its step was lost');
    });
  }
  await attempt(`${CYCLES} lives leave memory flat`, async () => {
    [row.lifetimes] = await execute(runtime, 'lifetimes', CYCLES);
    checkLifetimes(row.lifetimes);
  });
  return row;
}
