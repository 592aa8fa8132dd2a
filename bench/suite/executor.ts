/** Executes jobs one at a time. Every runner starts an executor on its runtime. */
import { createRuntime, type Runtime } from 'adal-wasm';
import type { Environment } from '../schema/result';
import { describeEnvironment } from '../toolkit/environment';
import { createTimer, sampleMsFor } from '../toolkit/timing';
import { type DataSource, MissingDataError } from './data';
import type { Job, Report } from './job';
import type { PeerModule } from './micro/contenders';
import { benchKernels } from './micro/kernels';
import { benchStep } from './micro/step';
import { measureThreads } from './micro/threads';
import { measureFit, measureSpeed } from './micro/training-speed';
import { reportUntimed } from './micro/untimed';
import { workloadOf } from './registry';
import { byKey } from './result';
import { runCell, unsupportedRun } from './study/cell';
import { describeWorkload } from './study/describe';
import { hashAfter } from './study/hash-after';
import { runStreams } from './study/streams';
import type { PreparedWorkload, Tier } from './types';

/** What differs between platforms. */
export interface Platform {
  readonly data: DataSource;
  /** Imports a file of bench/peers; throws where that cannot be done, saying why. */
  readonly loadPeer: (file: string) => Promise<PeerModule>;
  /** Of the runtime, where it does not tell it itself. */
  readonly version?: string;
}

export class Executor {
  readonly #platform: Platform;
  readonly #prepared = new Map<string, Promise<PreparedWorkload>>();
  #described: Environment | null = null;
  #runtime: Promise<Runtime> | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async execute(job: Job, report: Report): Promise<void> {
    this.#described ??= await describeEnvironment(this.#platform.version);
    switch (job.kind) {
      case 'environment':
        return report({ type: 'environment', value: this.#described });
      case 'workload':
        return this.#describe(job.workload, job.tier, report);
      case 'cell':
        return this.#cell(job, report);
      case 'hash':
        return this.#hash(job, report);
      case 'streams':
        return runStreams(await this.#oneThread(), this.#environment, job.stepsFactor, report);
      default:
        return this.#measure(job, report);
    }
  }

  /** What is timed. */
  async #measure(job: Job, report: Report): Promise<void> {
    const { timerTickMs, cores } = this.#described!;
    const environment = this.#environment;
    if (timerTickMs === 0) return reportUntimed(job, environment, report);
    const timeOnce = await createTimer(timerTickMs);
    switch (job.kind) {
      case 'step':
        return benchStep(job, { environment, timeOnce, load: this.#platform.loadPeer, report });
      case 'kernels':
        return benchKernels(job.rounds, job.large, { environment, timeOnce, report });
      case 'threads':
        return measureThreads(job.n, job.rounds, cores, { environment, timeOnce, report });
      case 'speed':
        return this.#speed(job, report);
      case 'fit': {
        const { workload, tier, rounds } = job;
        const prepared = await this.#prepare(workload);
        const ids = { environment, workload, tier };
        report({
          type: 'micro',
          value: await measureFit(prepared, ids, rounds, await this.#oneThread(), timeOnce),
        });
      }
    }
  }

  async #speed(
    { workload, optimizer, rounds }: Job & { kind: 'speed' },
    report: Report,
  ): Promise<void> {
    const ids = { environment: this.#environment, workload, optimizer };
    try {
      const prepared = await this.#prepare(workload);
      const sampleMs = sampleMsFor(this.#described!.timerTickMs);
      report({
        type: 'speed',
        value: await measureSpeed(prepared, ids, rounds, await this.#oneThread(), sampleMs),
      });
    } catch (error) {
      const nothing = { secondsPerStep: [], stepsPerSample: 1, stable: true };
      report({
        type: 'speed',
        value: { ...ids, status: 'unsupported', reason: reasonOf(error), ...nothing },
      });
    }
  }

  get #environment(): string {
    return this.#described!.id;
  }

  /** Networks this small are trained on one thread; one memory serves all jobs. */
  #oneThread(): Promise<Runtime> {
    this.#runtime ??= createRuntime({ threads: 1 });
    return this.#runtime;
  }

  #prepare(id: string): Promise<PreparedWorkload> {
    let prepared = this.#prepared.get(id);
    if (!prepared) this.#prepared.set(id, (prepared = workloadOf(id).prepare(this.#platform.data)));
    return prepared;
  }

  async #describe(id: string, tier: Tier, report: Report): Promise<void> {
    const missing = await this.#prepare(id).then(() => null, reasonOf);
    const value = await describeWorkload(
      workloadOf(id),
      tier,
      missing,
      await this.#oneThread(),
      () => this.#prepare(id),
    );
    report({ type: 'workload', value });
  }

  async #cell({ cell, runs, searches }: Job & { kind: 'cell' }, report: Report): Promise<void> {
    let prepared: PreparedWorkload;
    try {
      prepared = await this.#prepare(cell.workload);
    } catch (error) {
      report({ type: 'run', value: unsupportedRun(cell, this.#environment, reasonOf(error)) });
      return;
    }
    const known = { runs: byKey('run', runs), searches: byKey('search', searches) };
    await runCell(cell, {
      runtime: await this.#oneThread(),
      environment: this.#environment,
      prepared,
      known,
      report,
    });
  }

  async #hash(
    { workload, optimizer, steps }: Job & { kind: 'hash' },
    report: Report,
  ): Promise<void> {
    const identity = { environment: this.#environment, workload, optimizer, steps };
    try {
      const prepared = await this.#prepare(workload);
      const hash = await hashAfter(prepared, optimizer, steps, await this.#oneThread());
      report({ type: 'hash', value: { ...identity, hash, status: 'ok', reason: null } });
    } catch (error) {
      report({
        type: 'hash',
        value: { ...identity, hash: null, status: 'unsupported', reason: reasonOf(error) },
      });
    }
  }
}

/** Why data are not to be had; any other error is none of ours to explain. */
function reasonOf(error: unknown): string {
  if (error instanceof MissingDataError) return error.message;
  throw error;
}
