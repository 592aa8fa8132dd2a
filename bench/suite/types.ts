/**
 * The types of the suite: optimizer configurations, workloads, and the problems that workloads
 * pose. A workload defines what is learnt and how it is judged. A problem is one instance of a
 * workload, drawn from a seed, in the memory of a runtime.
 */
import type { OptimizerName, OptimizerOptions, ParamsInit, Runtime } from 'adal-wasm';
import type { DataSource } from './data';

export type Tier = 'smoke' | 'standard' | 'full';
export type ScheduleId = 'constant' | 'cosine' | 'inverse-sqrt';
export type Track = 'T0' | 'T1';

/**
 * Losses and the metric (accuracy, where there is one) over the parts of the data. Null: there is
 * none, or it is not finite.
 */
export interface Figures {
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
  readonly validationMetric: number | null;
  readonly testLoss: number | null;
  readonly testMetric: number | null;
}

export type FigureName = keyof Figures;

/**
 * ĝ = (‖g‖₁)^power · g, tensor by tensor, before the optimizer sees it: what part of AdaL is its
 * transformation.
 */
export interface GradientTransform {
  readonly power: -1 | -0.5 | 0 | 0.5 | 1;
  /** Whose ‖g‖₁: of the gradient itself, or of another batch's at the same parameters. */
  readonly norm: 'own' | 'other-batch';
}

/** An optimizer as the suite sees it: one of the library, or one of your own. */
export interface StudyOptimizer {
  /** Parameters by name; views into memory, which are read anew for every use. */
  readonly params: Arrays;
  /** Gradients by name. */
  readonly grads: Arrays;
  /** Parameters to evaluate: an average of them, for optimizers that keep one. */
  readonly evaluationParams: Arrays;
  /** Updates the parameters. Skips the step when a gradient is not finite. */
  step(): { readonly skipped: boolean };
  dispose(): void;
}

export type Arrays = Readonly<Record<string, Float32Array>>;

/** An optimizer as it is compared: a rule of the library with options, or one of your own. */
export interface OptimizerConfig<Name extends OptimizerName = OptimizerName> {
  readonly id: string;
  readonly label: string;
  /** The library's name of the rule; 'own' for one of your own. */
  readonly name: Name | 'own';
  readonly options: Omit<OptimizerOptions[Name], 'lr'>;
  /** Of track T0, and where the search of T1 begins. */
  readonly lr: number;
  /** Of track T0. */
  readonly schedule: ScheduleId;
  readonly schedules: readonly ScheduleId[];
  readonly stateBytesPerParameter: number;
  readonly ablation?: string;
  readonly transform?: GradientTransform;
  readonly note?: string;
  /** Creates an optimizer of your own; the library's are created by name. */
  readonly create?: (
    problem: Problem,
    runtime: Runtime,
    lr: number | ((step: number) => number),
  ) => Promise<StudyOptimizer>;
}

/**
 * An optimizer of your own, as a module given with `--with` exports it.
 *
 * @example
 * export const optimizers = [
 *   {
 *     id: 'sign-sgd',
 *     lr: 1e-3,
 *     create: () => ({
 *       step(params, grads, lr) {
 *         for (const name in params)
 *           params[name].forEach((w, i, all) => (all[i] = w - lr * Math.sign(grads[name][i])));
 *       },
 *     }),
 *   },
 * ];
 */
export interface OwnOptimizer {
  /** Name in results: letters, digits, ".", "-" and "_". */
  readonly id: string;
  /** Name in reports. @default id */
  readonly label?: string;
  /** Learning rate of track T0, and the centre of the search of track T1. */
  readonly lr: number;
  /** Schedule of track T0. @default 'constant' */
  readonly schedule?: ScheduleId;
  /** Schedules of track T1. @default all */
  readonly schedules?: readonly ScheduleId[];
  /** Memory of the state, as the report shows it. @default 0 */
  readonly stateBytesPerParameter?: number;
  /** A remark for the report. */
  readonly note?: string;
  /**
   * Creates the optimizer for one run.
   * @param params initial parameters by name
   */
  create(params: Arrays): {
    /**
     * Updates `params` in place.
     * @param params parameters by name; keep no array of a former step
     * @param grads finite gradients by name
     * @param lr learning rate of this step
     */
    step(params: Arrays, grads: Arrays, lr: number): void;
  };
}

export interface Metric {
  readonly name: string;
  readonly field: FigureName;
  readonly direction: 'lower' | 'higher';
  readonly scale: 'linear' | 'log';
  readonly unit: string | null;
}

/** A figure that others, or measurements before this suite, have given. */
export interface Reference {
  readonly optimizer: string | null;
  readonly options: Readonly<Record<string, number>>;
  readonly value: number;
  readonly spread: number | null;
  readonly seeds: number | null;
  readonly kind: 'published' | 'measured';
  readonly source: string;
}

/** How long a workload is trained in a tier, and for which optimizers. */
export interface Extent {
  readonly epochs: number;
  readonly searchSeeds: number;
  readonly finalSeeds: number;
  /** Of a final run: fewer where looking would take longer than training. @default 50 */
  readonly evaluations?: number;
  /** Ids; without, all of them. */
  readonly optimizers?: readonly string[];
  /** Without, all of the optimizer's. */
  readonly schedules?: readonly ScheduleId[];
  /** Whether ablations are run too. @default false */
  readonly ablations?: boolean;
}

export interface Workload {
  readonly id: string;
  readonly group: string;
  /** Raised with every change that changes figures. */
  readonly version: number;
  readonly title: string;
  /** False: a sanity check or a timing, in no ranking. */
  readonly ranked: boolean;
  readonly metric: Metric;
  readonly target: {
    readonly field: 'trainLoss' | 'validationLoss' | 'validationMetric';
    readonly value: number;
  } | null;
  /** What the learning rate is chosen by. */
  readonly selectBy: {
    readonly field: 'trainLoss' | 'validationLoss' | 'validationMetric';
    readonly direction: 'lower' | 'higher';
  };
  readonly batchSize: number | null;
  readonly samples: { readonly train: number; readonly validation: number; readonly test: number };
  readonly parameters: number;
  /** A tier that is not there leaves the workload out. */
  readonly tiers: { readonly [K in Tier]?: Extent };
  readonly attribution: string | null;
  readonly references: readonly Reference[];
  /** Reads the data. */
  prepare(data: DataSource): Promise<PreparedWorkload>;
}

/**
 * A workload of your own, as a module given with `--with` exports it: a `Workload`, of which only
 * the fields here are required. By default it is judged by its training loss.
 */
export interface OwnWorkload extends Partial<Omit<Workload, 'id' | 'parameters' | 'prepare'>> {
  /** Name in results, which begins with a capital letter: 'X1', 'X-spirals'. */
  readonly id: string;
  /** Number of parameters. */
  readonly parameters: number;
  /** Length of a run, instead of `tiers`: the smoke tier has at most 5 epochs. */
  readonly epochs?: number;
  /** Reads the data; see `PreparedWorkload`. */
  prepare(data: DataSource): Promise<PreparedWorkload>;
}

/** A workload with its data read. */
export interface PreparedWorkload {
  /** An instance: first values, split and order of batches are functions of the seed alone. */
  create(runtime: Runtime, seed: number): Promise<Problem>;
}

export interface Problem {
  /** For the optimizer's constructor. */
  readonly parameters: ParamsInit;
  readonly stepsPerEpoch: number;
  /**
   * Puts the gradients of a step (from 0) in place.
   * @param other those of another batch instead, as random as the step's own
   * @returns the batch's loss
   */
  computeGradients(optimizer: StudyOptimizer, step: number, other?: boolean): number;
  /** All figures but the test's, which is touched once, at the end. */
  evaluate(optimizer: StudyOptimizer, withTest: boolean): Figures;
  /** Ends what the problem holds; optimizers over its parameters must be disposed first. */
  dispose(): void;
}

export const NO_FIGURES: Figures = {
  trainLoss: null,
  validationLoss: null,
  validationMetric: null,
  testLoss: null,
  testMetric: null,
};
