/**
 * Jobs that runtimes do for a study, and what they report. Both are plain JSON: they pass through
 * pipes, sockets and messages.
 */
import type { Run, Search } from '../schema/result';
import type { StepJob } from './micro/step';
import type { Entry } from './result';
import type { Cell } from './study/plan';
import type { Tier } from './types';

export type Job =
  | { readonly kind: 'environment' }
  | { readonly kind: 'workload'; readonly workload: string; readonly tier: Tier }
  | {
      readonly kind: 'cell';
      readonly cell: Cell;
      readonly runs: readonly Run[];
      readonly searches: readonly Search[];
    }
  | {
      readonly kind: 'hash';
      readonly workload: string;
      readonly optimizer: string;
      readonly steps: number;
    }
  | { readonly kind: 'streams'; readonly stepsFactor: number }
  | ({ readonly kind: 'step' } & StepJob)
  | { readonly kind: 'kernels'; readonly rounds: number; readonly large: boolean }
  | {
      readonly kind: 'speed';
      readonly workload: string;
      readonly optimizer: string;
      readonly rounds: number;
    }
  | {
      readonly kind: 'fit';
      readonly workload: string;
      readonly tier: Tier;
      readonly rounds: number;
    }
  | { readonly kind: 'threads'; readonly n: number; readonly rounds: number };

export type Report = (entry: Entry) => void;
