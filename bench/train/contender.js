/**
 * One engine on one workload, in a process of its own: node contender.js <workload> <engine>
 * <options as JSON>.
 *
 * Reads requests from standard input and answers each with a line of JSON. engines/pytorch.py
 * speaks the same protocol:
 *   losses <n>    → the losses of the first n steps, or [the last loss of a fit], or [c₀₀ of a product]
 *   sample <ms>   → {calls, ns, cpu}: calls until so many ms have passed, at least one, how long they took, and the CPU time of it
 *   memory        → the most bytes that the process has had in memory
 */
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { WORKLOADS } from './workloads.js';

const [name, engineName, options] = process.argv.slice(2);
const workload = WORKLOADS.find((workload) => workload.name === name);
const CREATE = { step: 'createStep', fit: 'createFit', gemm: 'createProduct' };

const STATUS = '/proc/self/status';

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function losses(run, count) {
  const values = [];
  for (let i = 0; i < count; i++) values.push(await run());
  return values;
}

async function sample(run, ms) {
  const limit = BigInt(ms * 1e6);
  const start = process.hrtime.bigint();
  const before = process.cpuUsage();
  let calls = 0;
  let elapsed = 0n;
  // Small calls by blocks, so that the clock costs nothing.
  for (let block = 1; elapsed < limit; block = Math.min(64, 2 * block)) {
    for (let i = 0; i < block; i++) {
      const result = run();
      if (result instanceof Promise) await result;
    }
    calls += block;
    elapsed = process.hrtime.bigint() - start;
    // A block must not outlast the sample by much.
    if (elapsed * BigInt(2 * block) > limit * BigInt(calls)) block = 0.5;
  }
  const { user, system } = process.cpuUsage(before);
  return { calls, ns: Number(elapsed), cpu: 1000 * (user + system) };
}

/** The peak of this process alone: getrusage counts what the parent had before exec. */
function peakMemory() {
  const [, kilobytes] =
    (existsSync(STATUS) && /VmHWM:\s*(\d+)/.exec(readFileSync(STATUS, 'utf8'))) || [];
  return 1024 * Number(kilobytes ?? process.resourceUsage().maxRSS);
}

try {
  const engine = await import(`./engines/${engineName}.js`);
  const run = await engine[CREATE[workload.kind]](workload, JSON.parse(options));
  answer({ ready: true, version: engine.version });
  for await (const line of createInterface({ input: process.stdin })) {
    const [request, number] = line.split(' ');
    if (request === 'losses') answer(await losses(run, Number(number)));
    else if (request === 'sample') answer(await sample(run, Number(number)));
    else answer(peakMemory());
  }
  process.exit(0);
} catch (error) {
  answer({ error: String(error.message ?? error).split('\n')[0] });
  process.exit(0);
}
