/**
 * Checks that an optimizer, an accumulator and an average belong to the model that `fit` trains.
 */
import { ArgumentError } from '../errors';
import type { FitOptimizer, FitOptions } from './fit-options';
import type { Model } from './model';

/**
 * Checks that the optimizer trains all parameters of the model and no others. Otherwise `fit` would
 * seem to train the model without doing so. To keep a parameter as it is, freeze it, in the model
 * or in a param group. An optimizer of the caller's own class does not list its parameters; it
 * passes without this check.
 * @throws ArgumentError naming the option and the parameter
 */
export function checkOwnership(
  model: Model,
  { optimizer, accumulator, average }: FitOptions,
): void {
  if (!model.training)
    throw new ArgumentError(
      'model',
      'a model created with training: true',
      'one with training: false',
    );
  checkOptimizer(model, optimizer);
  if (accumulator?.optimizer !== undefined && accumulator.optimizer !== optimizer) {
    throw new ArgumentError(
      'accumulator',
      'a GradientAccumulator of options.optimizer',
      'one of another optimizer',
    );
  }
  const averaged = average?.averaged;
  if (!averaged) return;
  const held = new Set(averaged.map(({ parameter }) => parameter));
  checkHolds('average', 'an average of the parameters of the model', model, held);
}

function checkOptimizer(model: Model, { registered, paramGroups }: FitOptimizer): void {
  if (!registered) return;
  checkHolds(
    'optimizer',
    'an optimizer of the parameters of the model',
    model,
    new Set(registered.map(({ parameter }) => parameter)),
  );
  const own = new Set<object>(Object.values(model.parameters));
  const stray = registered.find(
    ({ parameter, group }) => !own.has(parameter) && !paramGroups[group].frozen,
  );
  if (stray) {
    const name = JSON.stringify(stray.name);
    throw new ArgumentError(
      'optimizer',
      'an optimizer of the parameters of the model',
      `one that also trains ${name}, which the model does not have (freeze its param group)`,
    );
  }
}

function checkHolds(
  argument: string,
  expected: string,
  model: Model,
  held: ReadonlySet<object>,
): void {
  const entries = Object.entries(model.parameters);
  const missing = entries.filter(([, parameter]) => !held.has(parameter)).map(([name]) => name);
  if (missing.length === 0) return;
  if (missing.length === entries.length)
    throw new ArgumentError(argument, expected, 'one that holds none of them');
  const rest = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  const hint = 'to leave parameters untrained, freeze them: createModel({ freeze })';
  throw new ArgumentError(
    argument,
    expected,
    `one without ${JSON.stringify(missing[0])}${rest} (${hint})`,
  );
}
