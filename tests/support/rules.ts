/** All rules that optimizers have, for suites that run over every one. */
import { type OptimizerName, optimizerNames } from '../../src/index';

/** What a suite calls it, the optimizer, its options. */
export type RuleCase = [what: string, name: OptimizerName, options: Record<string, unknown>];

/** Every rule: some optimizers have several. */
export const RULE_CASES: readonly RuleCase[] = [
  ...optimizerNames().map((name): RuleCase => [name, name, {}]),
  ['sgd with momentum', 'sgd', { momentum: 0.9, dampening: 0.1 }],
  ['sgd, Nesterov', 'sgd', { momentum: 0.9, nesterov: true, l2: 0.01 }],
  ['rmsprop with momentum', 'rmsprop', { momentum: 0.9 }],
  ['rmsprop, centred', 'rmsprop', { centered: true }],
  ['rmsprop, centred, with momentum', 'rmsprop', { centered: true, momentum: 0.9 }],
];
