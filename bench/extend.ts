/**
 * For modules that `adal-bench run --with` adds: the types of what they export, and what the
 * suite's own workloads are made of.
 */
export type { DataSource } from './suite/data';
export type { ExtensionModule } from './suite/extensions';
export {
  createNetworkProblem,
  type NetworkSettings,
  type Parts,
} from './suite/problems/network';
export {
  type Arrays,
  type Extent,
  type Figures,
  NO_FIGURES,
  type OwnOptimizer,
  type OwnWorkload,
  type PreparedWorkload,
  type Problem,
  type ScheduleId,
  type StudyOptimizer,
  type Tier,
  type Workload,
} from './suite/types';
