/** Which parameters a model does not train. */
import { ArgumentError } from '../errors';
import { matchNames, type NameMatch } from '../optimizers/param-group';
import { fail } from '../validate';
import type { Layer } from './layers';
import type { PlannedLayer } from './layers/layer';
import { namesOf } from './network-plan';

/**
 * Layers (`'conv1'`) and parameters (`'conv1.weight'`), or a RegExp or function of the parameters'
 * names.
 */
export type Freeze = readonly string[] | NameMatch;

/**
 * Full names of the parameters that `freeze` means.
 * @throws ArgumentError for what means no parameter, or, in training, all of them
 */
export function frozenNames(
  freeze: Freeze | undefined,
  layers: readonly Layer[],
  planned: readonly PlannedLayer[],
  training: boolean,
): ReadonlySet<string> {
  if (freeze === undefined) return new Set();
  const own = namesOf(layers).map((layer, index) =>
    planned[index].parameters.map(({ name }) => `${layer}.${name}`),
  );
  const names = own.flat();
  const frozen = new Set(
    Array.isArray(freeze)
      ? listedNames(freeze, names)
      : matchNames('freeze', freeze as NameMatch, names),
  );
  if (training && frozen.size === names.length)
    throw new ArgumentError('freeze', 'to leave a parameter to train', 'all of them');
  return frozen;
}

/** Those of `names` that a list of layers and parameters means. */
function listedNames(list: readonly string[], names: readonly string[]): string[] {
  return list.flatMap((name, index) => {
    const meant = names.filter((full) => full === name || full.startsWith(`${name}.`));
    if (meant.length > 0) return meant;
    return fail(
      `freeze[${index}]`,
      `a layer with parameters, or a parameter (${names.join(', ')})`,
      name,
    );
  });
}
