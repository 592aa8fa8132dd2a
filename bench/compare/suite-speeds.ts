/** The timings in a result of the suite. */
import type { Micro, Result } from '../schema/result';
import type { SpeedRow } from './speeds';

/** Implementations that are the library's. */
const OWN = /^(wasm|oracle)/;

/** Names of native implementations carry a version, which may differ. */
const nameOf = ({ implementation, native }: Micro): string =>
  native ? implementation.split(' ')[0]! : implementation;

function labelOfMicro(row: Micro): string {
  const { benchmark, threads, shape, n, layout, gradients, variant } = row;
  const parts = [
    benchmark,
    `${nameOf(row)}${threads > 1 ? ` × ${threads}` : ''}`,
    shape ? shape.join('×') : n.toLocaleString('en'),
    layout === '1' || layout === 'matrix' ? '' : `${layout} tensors`,
    gradients === 'normal' || gradients === 'none' ? '' : `${gradients} gradients`,
    variant === 'copies' ? 'with copies' : '',
  ];
  return parts.filter(Boolean).join(', ');
}

const scaled = (samples: readonly number[], factor: number): number[] =>
  samples.map((sample) => sample * factor);

/** Returns all timings of a result. */
export function speedsOfSuite({ micro, training, threadScaling, coldStart }: Result): SpeedRow[] {
  const rows: SpeedRow[] = micro.map((row) => ({
    environment: row.environment,
    label: labelOfMicro(row),
    samples: row.samples,
    stable: row.stable,
    anchor: !OWN.test(row.implementation),
  }));
  for (const { environment, workload, optimizer, secondsPerStep, stable } of training.speed) {
    const label = `training step, ${workload}, ${optimizer}`;
    const samples = scaled(secondsPerStep, 1e9);
    rows.push({ environment, label, samples, stable, anchor: false });
  }
  for (const { environment, optimizer, n, threads, samples, stable } of threadScaling) {
    const size = n.toLocaleString('en');
    const label = `step, ${optimizer}, ${size}, ${threads} thread${threads > 1 ? 's' : ''}`;
    rows.push({ environment, label, samples, stable, anchor: false });
  }
  for (const { environment, importMs, createMs, firstStepMs } of coldStart) {
    for (const [what, times] of Object.entries({
      import: importMs,
      'create runtime': createMs,
      'first step': firstStepMs,
    })) {
      const samples = scaled(times, 1e6);
      rows.push({
        environment,
        label: `cold start, ${what}`,
        samples,
        stable: true,
        anchor: false,
      });
    }
  }
  return rows.map((row) => ({ ...row, samples: row.samples.filter((sample) => sample > 0) }));
}
