/**
 * Reports timings as unsupported where the clock stands still while code runs, as on Cloudflare's
 * own servers (workerd alone has a clock of one millisecond). Nothing is estimated.
 */
import type { Micro, Outcome } from '../../schema/result';
import type { Job } from '../job';
import { workloadOf } from '../registry';
import type { Entry } from '../result';

type Place = Pick<Micro, 'benchmark' | 'n' | 'layout' | 'gradients'>;

const NO_CLOCK: Outcome = {
  status: 'unsupported',
  reason: 'the clock stands still while code runs here',
};

/** @param job one that times something; of any other there is nothing to say */
export function reportUntimed(job: Job, environment: string, report: (entry: Entry) => void): void {
  const micro = (place: Place) =>
    report({
      type: 'micro',
      value: { environment, ...BLANK, workPerCall: place.n, ...place, ...NO_CLOCK },
    });
  switch (job.kind) {
    case 'step':
      for (const rule of ['adal', 'adam'])
        micro({
          benchmark: `step-${rule}`,
          n: job.n,
          layout: job.layout,
          gradients: job.gradients,
        });
      break;
    case 'kernels':
      micro({ benchmark: 'triad', n: 10_000, layout: '1', gradients: 'none' });
      break;
    case 'fit':
      micro({
        benchmark: `fit-${job.workload}`,
        n: workloadOf(job.workload).parameters,
        layout: '1',
        gradients: 'none',
      });
      break;
    case 'threads': {
      const rest = { optimizer: 'adal', n: job.n, threads: 1, samples: [], stable: true };
      report({ type: 'threadScaling', value: { environment, ...rest, ...NO_CLOCK } });
      break;
    }
    case 'speed': {
      const rest = {
        workload: job.workload,
        optimizer: job.optimizer,
        secondsPerStep: [],
        stepsPerSample: 1,
        stable: true,
      };
      report({ type: 'speed', value: { environment, ...rest, ...NO_CLOCK } });
    }
  }
}

const BLANK = {
  implementation: 'wasm simd',
  native: false,
  threads: 1,
  shape: null,
  variant: 'resident',
  unit: 'ns/call',
  bytesPerCall: null,
  samples: [],
  check: null,
  stable: true,
} as const;
