/**
 * The declaration of an optimizer. Everything that all optimizers share (groups, the atomic
 * step, state dicts, compact state, sparse rows) is derived from it. The names of constants, and
 * whatever else its kernel names, come from assembly/optimizers by way of the build; its update in
 * plain TypeScript is src/runtime/reference/optimizers, which only the reference backend loads.
 */
import type { ClippingOptions } from './clipping';
import type {
  AnyHyperparameters,
  BaseHyperparameters,
  Fields,
  FixedOptions,
} from './hyperparameters';
import type { MatchedGroup } from './param-group';
import type { CheckedInit, RegisteredParameter } from './registered-parameter';
import type { StepScalars } from './step-scalars';
import type { MatrixLayout } from './step-table';

/** Options of every optimizer; H are the hyperparameters that its groups may set. */
export interface CommonOptions<H extends object = AnyHyperparameters> extends ClippingOptions {
  /**
   * Whether a non-finite gradient throws a NonFiniteGradientError, or skips the step and reports it
   * in the step's result. Either way nothing changes.
   * @default 'throw'
   */
  onNonFinite?: 'throw' | 'skip';
  /**
   * Seed of the stochastic rounding used by compact state: an integer in [0, 2^53).
   * @default 0
   */
  seed?: number;
  /**
   * Splits one record of parameters into groups by name: each group takes the names that it
   * matches, with its own hyperparameters. Parameters that no group matches form the first group.
   * No name may match twice, and every group must match at least one.
   * @default one group
   */
  groups?: readonly MatchedGroup<H>[];
}

/** Names of the options that every optimizer has. */
export const COMMON_OPTIONS = ['onNonFinite', 'seed', 'clipGradNorm', 'clipGradValue', 'groups'];

/** A kernel of assembly/optimizers, as the build describes it. */
export interface Kernel {
  readonly id: number;
  /** Indices of its constants by name. */
  readonly constants: Readonly<Record<string, number>>;
}

/** One number that a tensor keeps between steps. */
export interface ScalarField {
  /** Its value before the first step. */
  readonly initial: number;
  /** Throws ArgumentError naming `path` unless a state dict may have this value. */
  check(path: string, value: number): void;
}

/** State arrays of which one is divided by the other, or by its root. */
export interface MomentRatio {
  readonly first: string;
  readonly second: string;
  /** Whether the second itself divides, and not its root. @default false */
  readonly linear?: boolean;
  /** The most that the quotient can be, whatever the gradients, with room to spare. */
  readonly most: number;
  /** The least that the divisor counts as. */
  readonly least: number;
}

/** Some parameters of a new group, which become a group with these hyperparameters. */
export interface GroupPart<H> {
  readonly values: H;
  readonly entries: readonly CheckedInit[];
}

/** An optimizer with given options. */
export interface Algorithm<H extends BaseHyperparameters> {
  /** The kernels that it may choose from: see `kernelOf`. */
  readonly kernels: readonly Kernel[];
  /** Names of its state arrays, in the order in which kernels take them. */
  readonly stateNames: readonly string[];
  /**
   * Names of the state arrays that the parameters of a group have in state dicts, the first of all
   * that they have. @default `stateNames`
   */
  stateNamesOf?(values: Readonly<H>): readonly string[];
  /** Makes groups of their own of some parameters of a new group. @default none */
  splitGroup?(values: H, entries: readonly CheckedInit[]): readonly GroupPart<H>[];
  /**
   * Whether the update of a group is that of matrices, which assembly/optimizers/orthogonalize.ts
   * completes. It finds the direction in the second state array, and the rate in the constant
   * `rate` of kernel `Muon`.
   */
  isMatrixGroup?(values: Readonly<H>): boolean;
  /** What step tables with matrices need. @default no matrices */
  readonly matrices?: MatrixLayout;
  /** Those of its state arrays that are averages, sums or maxima of squares: never negative. */
  readonly squares?: readonly string[];
  /** Bounds that a state dict's moments must keep to one another. */
  readonly momentRatio?: MomentRatio;
  /** Numbers that each tensor keeps between steps, by name; at most 5. @default none */
  readonly scalars?: Readonly<Record<string, ScalarField>>;
  /** Throws ArgumentError naming `path` unless these scalars of a state dict fit one another. */
  checkScalars?(path: string, scalars: Readonly<Record<string, number>>): void;
  /**
   * Name of the scalar e by which the state is scaled: the first array by 2^e, the second by 2^2e.
   * Rows of sparse parameters then keep an exponent each.
   */
  readonly stateScale?: string;
  /** Options that no group may override and that never change. @default {} */
  readonly options?: FixedOptions;
  /** Whether it can update single rows of a sparse parameter. @default true */
  readonly byRows?: boolean;
  /** Tensors behind the state that are computed from it, and so are in no state dict. @default 0 */
  readonly derivedCount?: number;

  /** Throws ArgumentError unless the hyperparameters of a group fit one another. */
  check?(values: Readonly<H>, where: string): void;
  /** Throws ArgumentError unless the groups fit one another. */
  checkGroups?(groups: readonly Readonly<H>[]): void;
  /** Chooses a group's kernel. @default the first */
  kernelOf?(values: Readonly<H>): Kernel;
  /**
   * Writes `scalars.momentum`: a group's own μ or β1, which a schedule may then replace. `limit`
   * and `prepare` must read it from there. Algorithms without it refuse schedules that cycle the
   * momentum.
   */
  writeMomentum?(scalars: StepScalars, values: Readonly<H>): void;
  /** Writes the group's own values for its kernel, in the kernel's order. */
  writeValues?(own: Float64Array, scalars: StepScalars, values: Readonly<H>): void;
  /**
   * Writes `scalars.normLimit`: the least Σ|g| of a tensor that refuses the step. Throws for a
   * learning rate (`scalars.lr`) that does not fit the group's other hyperparameters. Called when
   * any of them has changed.
   */
  limit(scalars: StepScalars, values: Readonly<H>): void;
  /**
   * Writes the constants of a tensor's next update into `scalars.constants`, and advances
   * `scalars.own`. The first constant, by which the gradient is clipped, is left to the kernels.
   * Algorithms whose constants depend on the gradients leave this out: their kernels prepare
   * themselves.
   */
  prepare?(scalars: StepScalars, values: Readonly<H>): void;
  /** Called before the first step of a tensor, and before `prepare`. */
  begin?(parameter: RegisteredParameter): void;
  /** Gives a new tensor's state its first values, where they are not zero. */
  initialise?(parameter: RegisteredParameter, values: Readonly<H>): void;
}

/** The declaration of an optimizer: its name, hyperparameters, options and algorithm. */
export interface OptimizerDeclaration<H extends BaseHyperparameters, Options extends object> {
  /** Name in the registry and in state dicts. */
  readonly name: string;
  /** Hyperparameters that a param group can override. */
  readonly fields: Fields<H>;
  /** Names of the optimizer's own options, besides hyperparameters and common ones. */
  readonly options?: readonly (keyof Options & string)[];
  /** @throws ArgumentError for an option out of range */
  algorithm(options: Readonly<Options>): Algorithm<H>;
}
