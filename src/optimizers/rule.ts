/** What tells one optimizer from another, and the options they have in common. */
import type { ClippingOptions } from './clipping';
import type { Fields } from './hyperparameters';
import type { MatchedGroup } from './param-group';
import type { FixedOptions } from './state-dict';

/** Options of every optimizer. */
export interface CommonOptions extends ClippingOptions {
  /**
   * What a non-finite gradient does: 'throw' a NonFiniteGradientError, or 'skip' the step and say
   * so in its result. Either way nothing changes.
   * @default 'throw'
   */
  onNonFinite?: 'throw' | 'skip';
  /** Of the rounding of compact state: an integer in [0, 2^53). @default 0 */
  seed?: number;
  /**
   * Splits one record of parameters into groups by name: each takes the names it matches, with
   * hyperparameters of its own; what none matches makes up the first group, if anything is left. No
   * name may be matched twice, no group may be left empty.
   */
  groups?: readonly MatchedGroup[];
}

/** Their names. */
export const COMMON_OPTIONS = ['onNonFinite', 'seed', 'clipGradNorm', 'clipGradValue', 'groups'];

/** What a subclass says about its rule. */
export interface RuleDescription<H extends object> {
  /** Its name in the registry and in state dicts. */
  readonly name: string;
  /** A RULE_… constant. */
  readonly rule: number;
  /** Names of its state arrays, in the order of the rule's slots. */
  readonly stateNames: readonly string[];
  /** What a group may set for itself. */
  readonly fields: Fields<H>;
  /**
   * What no group may set and nothing changes: state dicts have it, and fit only an optimizer with
   * the same.
   * @default {}
   */
  readonly options?: FixedOptions;
  /** Every tensor is scaled by the norm over all. @default false */
  readonly globalNorm?: boolean;
  /** Its state is scaled by a power of two. @default false */
  readonly scaled?: boolean;
  /** It can update rows alone. @default true */
  readonly byRows?: boolean;
  /**
   * Tensors of a parameter's size behind its state that are computed from it, and so are in no
   * state dict.
   * @default 0
   */
  readonly derivedCount?: number;
  /**
   * Those of its state arrays that are averages, sums or maxima of squares, and so never negative.
   * @default none
   */
  readonly squares?: readonly string[];
  /** What its own scalar may be in a state dict. @default [0, 0] */
  readonly scalarRange?: readonly [low: number, high: number];
  /** The tensor's own scalar before its first step (see Counters.V). @default 0 */
  readonly initialScalar?: number;
  /** AdaL's spike guard; 0 for none. @default 0 */
  readonly normRatio?: number;
}
