/**
 * One engine on one workload, in a process of its own:
 *
 *   node contender-process.js <workload> <engine> <options as JSON>
 *
 * Answers each request on standard input with a line of JSON. peers/pytorch_training.py and
 * native/twin.c speak the same protocol:
 *   losses <n>    → losses of the first n steps, or [last loss of a fit], or [c₀₀ of a product]
 *   sample <ms>   → {calls, ns, cpu}: calls until so many ms have passed, at least one, with the
 *                   wall time and the CPU time that they took
 *   memory        → peak memory of the process, bytes
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { benchPath } from '../toolkit/bench-folder';
import { peakMemory, sampleCalls } from '../toolkit/cpu-time';
import type { Engine, EngineOptions, Run } from './engine';
import { WORKLOADS, type Workload } from './workloads';

const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  adal: () => import('./library'),
  plain: () => import('./plain'),
  jax: () => importPeer('training-jax.js'),
  tensorflow: () => importPeer('training-tensorflow.js'),
};

/** Imports a module from where its packages are installed. */
const importPeer = (file: string): Promise<Engine> =>
  import(pathToFileURL(benchPath(`peers/dist/${file}`)).href);

const answer = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

function createRun(engine: Engine, workload: Workload, options: EngineOptions): Promise<Run> {
  if (workload.kind === 'gemm') return engine.createProduct(workload, options);
  if (workload.kind === 'fit') return engine.createFit(workload, options);
  return engine.createStep(workload, options);
}

async function lossesOf(run: Run, count: number): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await run());
  return values;
}

async function main([name, engineName, options]: readonly string[]): Promise<void> {
  const workload = WORKLOADS.find((each) => each.name === name);
  const load = ENGINES[engineName!];
  if (!workload || !load) throw new Error(`there is no workload ${name} or engine ${engineName}`);
  const engine = await load();
  const run = await createRun(engine, workload, JSON.parse(options!));
  answer({ ready: true, version: engine.version });
  for await (const line of createInterface({ input: process.stdin })) {
    const [request, number] = line.split(' ');
    if (request === 'losses') answer(await lossesOf(run, Number(number)));
    else if (request === 'sample') answer(await sampleCalls(run, Number(number)));
    else answer(peakMemory());
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  answer({ error: String((error as Error).message ?? error).split('\n')[0] });
}
process.exit(0);
