/**
 * Does jobs, one at a time, wherever it runs: what every runner starts on its runtime. Jobs and entries are plain JSON, so that they
 * may come over a pipe, a socket or from a page's own button.
 */
import { createRuntime, type Runtime } from '../../src/index';
import type { Run } from '../schema/result';
import { type DataSource, MissingDataError } from './data';
import { describeEnvironment } from './environment';
import { workloadOf } from './registry';
import { type Entry, keyOf } from './result';
import { runCell, unsupportedRun } from './study/cell';
import { describeWorkload } from './study/describe';
import { hashAfter } from './study/hash-after';
import type { Cell } from './study/plan';
import { runStreams } from './study/streams';
import type { PreparedWorkload, Tier } from './types';

export type Job =
  | { readonly kind: 'environment' }
  | { readonly kind: 'workload'; readonly workload: string; readonly tier: Tier }
  | { readonly kind: 'cell'; readonly cell: Cell; readonly known: readonly Run[] }
  | { readonly kind: 'hash'; readonly workload: string; readonly optimizer: string; readonly steps: number }
  | { readonly kind: 'streams'; readonly stepsFactor: number };

export type Report = (entry: Entry) => void;

export class Executor {
  readonly #data: DataSource;
  readonly #version: string | undefined;
  readonly #prepared = new Map<string, Promise<PreparedWorkload>>();
  #environment: string | null = null;
  #runtime: Promise<Runtime> | null = null;

  /** @param version of the runtime, where it does not tell it itself */
  constructor(data: DataSource, version?: string) {
    this.#data = data;
    this.#version = version;
  }

  async execute(job: Job, report: Report): Promise<void> {
    if (job.kind === 'environment' || this.#environment === null) {
      const environment = await describeEnvironment(this.#version);
      this.#environment = environment.id;
      report({ type: 'environment', value: environment });
      if (job.kind === 'environment') return;
    }
    switch (job.kind) {
      case 'workload':
        return this.#describe(job.workload, job.tier, report);
      case 'cell':
        return this.#cell(job.cell, job.known, report);
      case 'hash':
        return this.#hash(job, report);
      case 'streams':
        return runStreams(await this.#oneThread(), this.#environment, job.stepsFactor, report);
    }
  }

  /** Networks this small are trained on one thread; one memory serves all jobs. */
  #oneThread(): Promise<Runtime> {
    this.#runtime ??= createRuntime({ threads: 1 });
    return this.#runtime;
  }

  #prepare(id: string): Promise<PreparedWorkload> {
    let prepared = this.#prepared.get(id);
    if (!prepared) this.#prepared.set(id, (prepared = workloadOf(id).prepare(this.#data)));
    return prepared;
  }

  async #describe(id: string, tier: Tier, report: Report): Promise<void> {
    const missing = await this.#prepare(id).then(() => null, reasonOf);
    const value = await describeWorkload(workloadOf(id), tier, missing, await this.#oneThread(), () => this.#prepare(id));
    report({ type: 'workload', value });
  }

  async #cell(cell: Cell, known: readonly Run[], report: Report): Promise<void> {
    let prepared: PreparedWorkload;
    try {
      prepared = await this.#prepare(cell.workload);
    } catch (error) {
      report({ type: 'run', value: unsupportedRun(cell, this.#environment!, reasonOf(error)) });
      return;
    }
    const byKey = new Map(known.map((run) => [keyOf('run', run), run]));
    const runtime = await this.#oneThread();
    await runCell(cell, { runtime, environment: this.#environment!, prepared, known: byKey, report });
  }

  async #hash({ workload, optimizer, steps }: Job & { kind: 'hash' }, report: Report): Promise<void> {
    const identity = { environment: this.#environment!, workload, optimizer, steps };
    try {
      const prepared = await this.#prepare(workload);
      const hash = await hashAfter(prepared, optimizer, steps, await this.#oneThread());
      report({ type: 'hash', value: { ...identity, hash, status: 'ok', reason: null } });
    } catch (error) {
      report({ type: 'hash', value: { ...identity, hash: null, status: 'unsupported', reason: reasonOf(error) } });
    }
  }
}

/** Why data are not to be had; any other error is none of ours to explain. */
function reasonOf(error: unknown): string {
  if (error instanceof MissingDataError) return error.message;
  throw error;
}
