/**
 * Reads optimizers and workloads of your own from a module given with `adal-bench run --with`. The
 * module exports `optimizers`, `workloads`, or both; bench/README.md has an example.
 */
import { createOptimizer, type Runtime } from 'adal-wasm';
import { fail } from '../toolkit/arguments';
import type {
  Extent,
  OptimizerConfig,
  OwnOptimizer,
  OwnWorkload,
  Problem,
  ScheduleId,
  StudyOptimizer,
  Tier,
  Workload,
} from './types';

/** What a module may export. */
export interface ExtensionModule {
  readonly optimizers?: readonly OwnOptimizer[];
  readonly workloads?: readonly OwnWorkload[];
}

/** What the registry takes from a module. */
export interface Extensions {
  readonly optimizers: readonly OptimizerConfig[];
  readonly workloads: readonly Workload[];
}

const OPTIMIZER_ID = /^[A-Za-z0-9][\w.-]{0,63}$/;
/** The pattern of the result's schema, with a limit of length. */
const WORKLOAD_ID = /^[A-Z]\w{0,31}(-[a-z0-9-]{1,31})?$/;
const SCHEDULES: readonly ScheduleId[] = ['constant', 'cosine', 'inverse-sqrt'];

/**
 * Reads what a module exports.
 * @param module as `import` gives it
 * @param name of the module, for errors
 * @throws ArgumentError for a module without optimizers and workloads, and for entries that lack a
 * field or have one of the wrong kind
 */
export function readExtensions(module: ExtensionModule, name: string): Extensions {
  const { optimizers = [], workloads = [] } = module;
  if (!Array.isArray(optimizers)) fail(`${name}: optimizers`, 'an array', optimizers);
  if (!Array.isArray(workloads)) fail(`${name}: workloads`, 'an array', workloads);
  if (optimizers.length + workloads.length === 0)
    fail('with', 'a module that exports optimizers or workloads', name);
  return {
    optimizers: optimizers.map((own, i) => readOptimizer(own, `${name}: optimizers[${i}]`)),
    workloads: workloads.map((own, i) => readWorkload(own, `${name}: workloads[${i}]`)),
  };
}

/**
 * Imports a module of `--with`.
 * @param href its file: URL
 * @throws ArgumentError as `readExtensions` does, or when the module cannot be imported
 */
export async function loadExtensions(href: string): Promise<Extensions> {
  const name = href.slice(href.lastIndexOf('/') + 1);
  let module: ExtensionModule;
  try {
    module = await import(/* @vite-ignore */ href);
  } catch (error) {
    fail('with', 'a module that can be imported', `${name}: ${(error as Error).message}`);
  }
  return readExtensions(module, name);
}

function readOptimizer(own: OwnOptimizer, path: string): OptimizerConfig {
  const { id, label = id, lr, schedule = 'constant', schedules = SCHEDULES, note } = own;
  if (!OPTIMIZER_ID.test(id)) fail(`${path}.id`, 'up to 64 letters, digits, ".", "-", "_"', id);
  if (typeof own.create !== 'function') fail(`${path}.create`, 'a function', own.create);
  if (typeof lr !== 'number' || !(lr > 0 && lr < Infinity))
    fail(`${path}.lr`, 'a number in (0, ∞)', lr);
  for (const each of [schedule, ...schedules])
    if (!SCHEDULES.includes(each)) fail(`${path}.schedule`, SCHEDULES.join(', '), each);
  return {
    id,
    label,
    name: 'own',
    options: {},
    lr,
    schedule,
    schedules,
    stateBytesPerParameter: own.stateBytesPerParameter ?? 0,
    note,
    create: (problem, runtime, rate) => createOwn(own, problem, runtime, rate),
  };
}

/**
 * Makes an optimizer of one's own one that the suite can train with. SGD with a learning rate of 0
 * carries it: that one holds parameters and gradients, refuses gradients that are not finite, and
 * tells models of steps.
 */
async function createOwn(
  own: OwnOptimizer,
  { parameters }: Problem,
  runtime: Runtime,
  lr: number | ((step: number) => number),
): Promise<StudyOptimizer> {
  const carrier = await createOptimizer('sgd', parameters, {
    lr: 0,
    runtime,
    onNonFinite: 'skip',
  });
  const { step } = own.create({ ...carrier.params });
  let steps = 0;
  return {
    get params() {
      return carrier.params;
    },
    get grads() {
      return carrier.grads;
    },
    get evaluationParams() {
      return carrier.params;
    },
    step() {
      const { skipped } = carrier.step();
      if (skipped) return { skipped };
      steps++;
      step({ ...carrier.params }, { ...carrier.grads }, typeof lr === 'number' ? lr : lr(steps));
      return { skipped };
    },
    dispose: () => carrier.dispose(),
  };
}

function readWorkload(own: OwnWorkload, path: string): Workload {
  const { id, title = id, parameters } = own;
  if (!WORKLOAD_ID.test(id)) fail(`${path}.id`, "a name like 'X1' or 'X-spirals'", id);
  if (typeof own.prepare !== 'function') fail(`${path}.prepare`, 'a function', own.prepare);
  if (!Number.isInteger(parameters) || parameters < 1)
    fail(`${path}.parameters`, 'an integer above 0', parameters);
  const metric = {
    name: 'training loss',
    field: 'trainLoss',
    direction: 'lower',
    scale: 'log',
    unit: null,
  } as const;
  return {
    group: id,
    version: 1,
    ranked: true,
    metric,
    target: null,
    selectBy: { field: 'trainLoss', direction: 'lower' },
    batchSize: null,
    samples: { train: 0, validation: 0, test: 0 },
    attribution: null,
    references: [],
    ...own,
    id,
    title,
    parameters,
    tiers: own.tiers ?? tiersOf(own.epochs, path),
  };
}

function tiersOf(epochs: number | undefined, path: string): Record<Tier, Extent> {
  if (epochs === undefined || !Number.isInteger(epochs) || epochs < 1)
    fail(`${path}.epochs`, 'an integer above 0, or `tiers` instead', epochs);
  return {
    smoke: { epochs: Math.min(epochs, 5), searchSeeds: 1, finalSeeds: 2 },
    standard: { epochs, searchSeeds: 3, finalSeeds: 10 },
    full: { epochs, searchSeeds: 3, finalSeeds: 30 },
  };
}
