/**
 * Optimizers by name. Each class loads at its first use, so that a bundle of one does not contain
 * the others.
 */
import { LOADERS } from '../../build/optimizer-loaders';
import { elementCount } from '../math/shape';
import { createRuntime, type Runtime } from '../runtime/runtime';
import { checkRuntime, fail } from '../validate';
import type { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';

type Loaders = typeof LOADERS;

/** Names of optimizers, as `createOptimizer` takes them. */
export type OptimizerName = keyof Loaders;

type ClassOf<Name extends OptimizerName> = Awaited<ReturnType<Loaders[Name]>>;

/** Options by optimizer name. */
export type OptimizerOptions = {
  [Name in OptimizerName]: NonNullable<ConstructorParameters<ClassOf<Name>>[2]>;
};

/** Hyperparameters by optimizer name. */
export type OptimizerHyperparameters = {
  [Name in OptimizerName]: InstanceType<ClassOf<Name>> extends Optimizer<infer H, string>
    ? H
    : never;
};

type Constructor = new (runtime: Runtime, params: never, options?: never) => unknown;

/** Returns all names that `createOptimizer` takes. */
export function optimizerNames(): OptimizerName[] {
  return Object.keys(LOADERS) as OptimizerName[];
}

/**
 * Creates an optimizer by name: `await createOptimizer('adal', { w: new Float32Array(10) }, { lr:
 * 1e-2 })`.
 *
 * @param name one of `optimizerNames()`
 * @param params parameters by name, or param groups
 * @param options the optimizer's own options, and the `runtime` to create it in. Without one, the
 * optimizer creates a runtime and disposes of it with itself
 * @throws ArgumentError for an unknown name or an option out of range
 */
export async function createOptimizer<Name extends OptimizerName, Names extends string = string>(
  name: Name,
  params: ParamsInit<OptimizerHyperparameters[Name], Names>,
  options?: OptimizerOptions[Name] & { runtime?: Runtime },
): Promise<Optimizer<OptimizerHyperparameters[Name], Names>> {
  return createOptimizerIn(createRuntime, name, params, options);
}

/** @internal The same with another way to create a runtime where none is given. */
export async function createOptimizerIn<Name extends OptimizerName, Names extends string>(
  create: typeof createRuntime,
  name: Name,
  params: ParamsInit<OptimizerHyperparameters[Name], Names>,
  options: OptimizerOptions[Name] & { runtime?: Runtime } = {} as OptimizerOptions[Name],
): Promise<Optimizer<OptimizerHyperparameters[Name], Names>> {
  type Made = Optimizer<OptimizerHyperparameters[Name], Names>;
  if (!Object.hasOwn(LOADERS, name)) fail('name', `one of ${optimizerNames().join(', ')}`, name);
  if (typeof options !== 'object' || options === null)
    fail('options', 'an options object', options);
  const { runtime: given, ...own } = options;
  if (given !== undefined) checkRuntime('runtime', given);
  const OptimizerClass = (await LOADERS[name]()) as Constructor;
  if (given) return new OptimizerClass(given, params as never, own as never) as Made;
  const runtime = await create({ parameterCount: countElements(params) });
  try {
    const optimizer = new OptimizerClass(runtime, params as never, own as never) as Made;
    optimizer.adoptRuntime();
    return optimizer;
  } catch (error) {
    runtime.dispose();
    throw error;
  }
}

/**
 * Elements of all parameters, as far as what was given makes sense: what does not is the
 * constructor's to refuse.
 */
function countElements(params: unknown): number {
  if (typeof params !== 'object' || params === null) return 0;
  // Names are unique over groups, but groups with `match` may share a record.
  const record = Array.isArray(params)
    ? Object.assign({}, ...params.map((group) => group?.params))
    : params;
  let count = 0;
  for (const init of Object.values<{ shape?: unknown; length?: number } | null>(record)) {
    const shape = init?.shape ?? [init?.length];
    const length = Array.isArray(shape) ? elementCount(shape) : 0;
    if (Number.isInteger(length) && length > 0) count += length;
  }
  return Math.min(count, 2 ** 32);
}
