/** The `freeze` option of a model: which parameters training does not change. */
import { ArgumentError } from '../errors';
import { matchNames, type NameMatch } from '../optimizers/param-group';
import { fail } from '../validate';
import type { PlannedNode } from './model-graph';

/**
 * A list of layers (`'conv1'`) and parameters (`'conv1.weight'`), or a RegExp or function of the
 * parameters' names.
 */
export type Freeze = readonly string[] | NameMatch;

/** Returns the full names of all parameters. */
function namesOf(nodes: readonly PlannedNode[]): string[] {
  return nodes.flatMap(({ name, owner, planned }, index) =>
    owner === index ? planned.parameters.map((parameter) => `${name}.${parameter.name}`) : [],
  );
}

/**
 * Returns the full names of the parameters that a list, RegExp or function matches.
 * @param argument name of the option in errors
 * @throws ArgumentError if an entry matches no parameter
 */
export function matchParameters(
  argument: string,
  match: Freeze,
  nodes: readonly PlannedNode[],
): string[] {
  const names = namesOf(nodes);
  return Array.isArray(match)
    ? listedNames(argument, match, names, nodes)
    : matchNames(argument, match as NameMatch, names);
}

/**
 * Returns the full names of the parameters that `freeze` matches.
 * @throws ArgumentError if an entry matches no parameter or, in training, if all are matched
 */
export function frozenNames(
  freeze: Freeze | undefined,
  nodes: readonly PlannedNode[],
  training: boolean,
): ReadonlySet<string> {
  if (freeze === undefined) return new Set();
  const frozen = new Set(matchParameters('freeze', freeze, nodes));
  if (training && frozen.size === namesOf(nodes).length)
    throw new ArgumentError('freeze', 'at least one parameter to stay trainable', 'all of them');
  return frozen;
}

/** Returns those of `names` that a list of layers and parameters matches. */
function listedNames(
  argument: string,
  list: readonly string[],
  names: readonly string[],
  nodes: readonly PlannedNode[],
): string[] {
  return list.flatMap((name, index) => {
    const meant = names.filter((full) => full === name || full.startsWith(`${name}.`));
    if (meant.length > 0) return meant;
    const sharing = nodes.find((node, place) => {
      return node.owner !== place && typeof name === 'string' && name.split('.')[0] === node.name;
    });
    if (sharing) {
      const owner = nodes[sharing.owner].name;
      fail(`${argument}[${index}]`, `"${owner}", whose weights this node shares`, name);
    }
    return fail(
      `${argument}[${index}]`,
      `a layer with parameters, or a parameter (${names.join(', ')})`,
      name,
    );
  });
}
