/** The `penalties` of a model: L1 and L2 terms of chosen weights in its loss. */
import { checkNumber, checkOptions, fail } from '../validate';
import { type Freeze, matchParameters } from './freeze';
import type { PlannedNode } from './model-graph';

/** A penalty of some weights, which is added to the model's loss: l1·Σ|w| + l2·Σw². */
export interface Penalty {
  /**
   * Parameters that it is of, in the form of `freeze`: layers (`['dense1']`), parameters
   * (`['dense1.weight']`), or a RegExp or function of the name.
   */
  match: Freeze;
  /** Factor of Σ|w|, in [0, ∞). @default 0 */
  l1?: number;
  /** Factor of Σw², in [0, ∞): that of Keras's `l2`, half of PyTorch's `weight_decay`. @default 0 */
  l2?: number;
}

/** A checked penalty of the parameters with those full names. */
export interface NamedPenalty {
  readonly names: ReadonlySet<string>;
  readonly l1: number;
  readonly l2: number;
}

/**
 * Checks penalties, and finds the parameters that they match.
 * @throws ArgumentError for options out of range, and for a match without parameters
 */
export function readPenalties(penalties: unknown, nodes: readonly PlannedNode[]): NamedPenalty[] {
  if (penalties === undefined) return [];
  if (!Array.isArray(penalties)) fail('penalties', 'an array of { match, l1, l2 }', penalties);
  return penalties.map((penalty: Penalty, index) => {
    const path = `penalties[${index}]`;
    checkOptions(path, penalty, ['match', 'l1', 'l2']);
    const { match, l1 = 0, l2 = 0 } = penalty;
    for (const [name, factor] of Object.entries({ l1, l2 }))
      checkNumber(`${path}.${name}`, factor, '[0, ∞)', (value) => value >= 0);
    return { names: new Set(matchParameters(`${path}.match`, match, nodes)), l1, l2 };
  });
}
