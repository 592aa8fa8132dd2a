/** Describes workloads and optimizers as entries of a result. */
import type { Runtime } from 'adal-wasm';
import type { OptimizerEntry, Options, Workload as WorkloadEntry } from '../../schema/result';
import type { OptimizerConfig, PreparedWorkload, Tier, Workload } from '../types';

export async function describeWorkload(
  workload: Workload,
  tier: Tier,
  missing: string | null,
  runtime: Runtime,
  prepare: () => Promise<PreparedWorkload>,
): Promise<WorkloadEntry> {
  const {
    id,
    group,
    version,
    title,
    ranked,
    metric,
    target,
    batchSize,
    parameters,
    samples,
    attribution,
    references,
  } = workload;
  const { epochs } = workload.tiers[tier]!;
  let stepsPerEpoch = 1;
  if (missing === null) {
    const problem = await (await prepare()).create(runtime, 0);
    stepsPerEpoch = problem.stepsPerEpoch;
    problem.dispose();
  }
  return {
    id,
    group,
    version,
    title,
    status: missing === null ? 'ok' : 'unsupported',
    reason: missing,
    ranked,
    metric,
    target,
    epochs,
    steps: epochs * stepsPerEpoch,
    batchSize,
    parameters,
    samples,
    attribution,
    references,
  };
}

export function describeOptimizer(config: OptimizerConfig): OptimizerEntry {
  const {
    id,
    label,
    name,
    ablation = null,
    options,
    transform,
    stateBytesPerParameter,
    note = null,
    lr,
    schedule,
  } = config;
  const plain = { lr, schedule, ...options, ...transform } as object as Options;
  return { id, label, family: name, ablation, options: plain, stateBytesPerParameter, note };
}
