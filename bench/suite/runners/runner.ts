/** The interface of a runtime: it opens lanes, each of which executes one job after another. */
import type { Job, Report } from '../job';

export interface Lane {
  /** @throws when the runtime has gone, or the job failed there */
  execute(job: Job, report: Report): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds. */
export interface ColdSample {
  readonly importMs: number;
  readonly createMs: number;
  readonly firstStepMs: number;
}

export interface Runner {
  readonly name: string;
  /** Why it is not to be had here; null when it is. */
  missing(): string | null;
  /** @param count of lanes wanted; fewer may come */
  open(count: number): Promise<Lane[]>;
  /** Starts a fresh process once; without it the runtime's cold start is not measured. */
  coldStart?(): Promise<ColdSample>;
}
