/**
 * The exponential moving average of a model's weights.
 *
 * Invariant: only `update` and `loadStateDict` change the averages; nothing here writes the
 * weights.
 */
import { DisposedError } from '../errors';
import type { Optimizer } from '../optimizers/optimizer';
import type { StateDictParameter } from '../optimizers/state-dict';
import { checkElements, checkFloats, checkShape, Parameter } from '../tensors/parameter';
import { type NamedTensor, ShadowTensors } from '../tensors/shadow-tensors';
import { createRecord, defineView, type TensorViews } from '../tensors/views';
import {
  checkInteger,
  checkNumber,
  checkObject,
  checkOptions,
  fail,
  isOptimizer,
} from '../validate';

/** Options of `ExponentialMovingAverage`. */
export interface ExponentialMovingAverageOptions {
  /**
   * Decay β, the share of the old average in the new one: in [0, 1). For a warm-up, a function of
   * the update (from 1), such as `(t) => Math.min(0.999, (1 + t) / (10 + t))`.
   * @default 0.999
   */
  decay?: number | ((update: number) => number);
}

/** State dict of a moving average: plain data, and copies. */
export interface ExponentialMovingAverageStateDict {
  /** Version of this schema. */
  version: 1;
  /** Number of updates so far. */
  updates: number;
  /** Averages by name, with those of running statistics. */
  params: Record<string, StateDictParameter>;
}

/** Largest number of updates that is loaded, so that more can still be counted exactly. */
const MAX_UPDATES = 2 ** 52;

/**
 * An exponential moving average of weights, which often generalizes better than the weights
 * themselves:
 *
 *     w̄ ← w̄ - (1-β)·(w̄ - w)
 *
 * in float32. It starts from the weights at its creation, so it needs no bias correction (optax.ema
 * starts from zeros and corrects). The average of weights that do not change is exact. Otherwise an
 * average approaches its weights up to half a float32 step divided by 1-β: 6e-5 of them with
 * β = 0.999. It takes 4 bytes per parameter element, until `dispose`. Parameters that
 * `addParamGroup` adds join at the next update, with the weights that they have then.
 *
 * The running statistics (batch norm's means and variances) of the models that own the parameters
 * are averaged too, and `apply` lets a model evaluate with both. They have the names of
 * `model.weights`; if an optimizer trains two models with equal names, the second one's end with
 * `#2`.
 *
 * @example
 * const optimizer = new AdaL(await createRuntime(), { w: new Float32Array(10) });
 * const average = new ExponentialMovingAverage(optimizer, { decay: 0.99 });
 * for (let t = 1; t <= 100; t++) {
 *   optimizer.grads.w.set(optimizer.params.w.map((w) => w - 1 + Math.sin(t)));
 *   optimizer.step();
 *   average.update();
 * }
 * console.log(average.params.w); // a model evaluates with it after average.apply()
 * @see optax.ema; Polyak and Juditsky 1992
 */
export class ExponentialMovingAverage {
  /**
   * Live views of the averages in linear memory, by name. Read a property again after any call that
   * may allocate.
   */
  readonly params: TensorViews = createRecord<Float32Array>();
  readonly #averages: ShadowTensors;
  readonly #decay: number | ((update: number) => number);
  readonly #check = () => this.#averages.check();
  #updateCount = 0;
  #applied = false;

  /**
   * @param source an optimizer, or parameters by name such as `model.parameters`
   * @throws ArgumentError for options out of range
   * @throws OutOfMemoryError if the averages do not fit in memory; nothing stays allocated then
   */
  constructor(
    source: Optimizer | Readonly<Record<string, Parameter>>,
    options: ExponentialMovingAverageOptions = {},
  ) {
    checkOptions('options', options, ['decay']);
    const { decay = 0.999 } = options;
    this.#decay = typeof decay === 'function' ? decay : checkDecay('decay', decay);
    const list = listAveraged(source);
    const { runtime } = isOptimizer<Optimizer>(source) ? source : list()[0].parameter.value;
    this.#averages = new ShadowTensors(runtime, list, 'the moving average');
    this.#follow();
  }

  /** Number of updates so far. */
  get updateCount(): number {
    return this.#updateCount;
  }

  /** Whether models evaluate with the averages. */
  get applied(): boolean {
    return this.#applied;
  }

  /**
   * Updates the averages with the present weights; call it after every step. Allocates nothing,
   * unless parameters have been added.
   * @throws ArgumentError if `decay` is a function that returns anything but a number in [0, 1);
   * nothing has changed then
   */
  update(): void {
    const update = this.#updateCount + 1;
    const decay =
      typeof this.#decay === 'number'
        ? this.#decay
        : checkDecay(`decay(${update})`, this.#decay(update));
    this.#follow();
    this.#averages.checkAlive();
    const { parameters, tensors } = this.#averages;
    for (let i = 0; i < parameters.length; i++) {
      const { address, length, runtime } = tensors[i];
      runtime.kernels.combine(
        address,
        address,
        parameters[i].parameter.value.address,
        length,
        1,
        1 - decay,
      );
    }
    this.#updateCount = update;
  }

  /**
   * Lets models evaluate and predict with the averages until `restore`. Training continues with the
   * weights themselves, which stay as they are.
   */
  apply(): void {
    this.#check();
    this.#averages.checkAlive();
    this.#applied = true;
    this.#standIn(0);
  }

  /** Lets models evaluate and predict with their weights again. */
  restore(): void {
    this.#check();
    this.#applied = false;
    for (const { parameter } of this.#averages.parameters) parameter.evaluateAt(null, this);
  }

  /** Returns a copy of everything that later updates depend on, except the weights. */
  stateDict(): ExponentialMovingAverageStateDict {
    this.#check();
    const params = createRecord<StateDictParameter>();
    for (const [index, { name }] of this.#averages.parameters.entries()) {
      const { shape, data } = this.#averages.tensors[index];
      params[name] = { shape, data: data.slice() };
    }
    return { version: 1, updates: this.#updateCount, params };
  }

  /**
   * Loads a state dict that `stateDict` returned.
   * @throws ArgumentError naming the key that does not fit; nothing has changed then
   */
  loadStateDict(dict: ExponentialMovingAverageStateDict): void {
    this.prepareLoad(dict, 'stateDict')();
  }

  /** @internal The tensors that are averaged, with their names. */
  get averaged(): readonly NamedTensor[] {
    this.#follow();
    return this.#averages.parameters;
  }

  /**
   * @internal Checks a state dict and returns the function that loads it, which cannot fail.
   * @param path what errors call the dict
   * @throws ArgumentError naming the key that does not fit
   */
  prepareLoad(dict: unknown, path: string): () => void {
    this.#follow();
    this.#averages.checkAlive();
    const { version, updates, params } = checkObject(path, dict);
    if (version !== 1) fail(`${path}.version`, '1', version);
    const count = checkInteger(`${path}.updates`, updates, 0, MAX_UPDATES);
    const { parameters, tensors } = this.#averages;
    const values = this.#averages.match(`${path}.params`, params).map((value, index) => {
      const { name, parameter } = parameters[index];
      const { shape, length, runtime } = tensors[index];
      const at = `${path}.params.${name}`;
      const given = checkObject(at, value);
      checkShape(`${at}.shape`, given.shape, shape);
      const data = checkFloats(`${at}.data`, given.data, runtime, length).slice();
      checkElements(`${at}.data`, data, parameter.minimum);
      return data;
    });
    return () => {
      for (const [index, data] of values.entries()) tensors[index].data.set(data);
      this.#updateCount = count;
    };
  }

  /** Frees the averages. Models then evaluate with their weights again. */
  dispose(): void {
    if (!this.#averages.dispose()) return;
    for (const { parameter } of this.#averages.parameters) parameter.evaluateAt(null, this);
  }

  /** Allocates averages for parameters that have been added, as copies of their weights. */
  #follow(): void {
    const known = this.#averages.follow();
    const { parameters, tensors } = this.#averages;
    for (let i = known; i < parameters.length; i++) {
      const { name, parameter } = parameters[i];
      tensors[i].data.set(parameter.value.data);
      defineView(this.params, name, tensors[i], this.#check);
    }
    if (this.#applied && known < parameters.length) this.#standIn(known);
  }

  /** Lets the averages from index `first` on replace their parameters in evaluation. */
  #standIn(first: number): void {
    const { parameters, tensors } = this.#averages;
    for (let i = first; i < parameters.length; i++)
      parameters[i].parameter.evaluateAt(() => tensors[i], this);
  }
}

/** Returns a function that lists the averaged tensors; an optimizer may have more of them later. */
function listAveraged(source: unknown): () => readonly NamedTensor[] {
  const parameters = listParameters(source);
  const listed: NamedTensor[] = [];
  const owners = new Set<object>();
  let known = 0;
  return () => {
    const all = parameters();
    for (; known < all.length; known++) {
      const { name, parameter } = all[known];
      listed.push({ name, parameter });
      const { owner } = parameter;
      if (owner === null || owners.has(owner)) continue;
      owners.add(owner);
      for (const [figure, tensor] of Object.entries(owner.runningStatistics)) {
        listed.push({
          name: owners.size === 1 ? figure : `${figure}#${owners.size}`,
          parameter: tensor,
        });
      }
    }
    return listed;
  };
}

/** Returns a function that lists the parameters. */
function listParameters(
  source: unknown,
): () => readonly { readonly name: string; readonly parameter: Parameter }[] {
  if (isOptimizer<Optimizer>(source)) return () => source.registered;
  if (typeof source !== 'object' || source === null)
    fail('source', 'an optimizer, or an object of Parameters by name', source);
  const list = Object.entries(source).map(([name, parameter]) => {
    if (!(parameter instanceof Parameter))
      fail(`source.${name}`, 'a Parameter, such as one of model.parameters', parameter);
    return { name, parameter };
  });
  if (list.length === 0) fail('source', 'at least one parameter', source);
  const [{ parameter: first }] = list;
  for (const { name, parameter } of list) {
    if (parameter.value.disposed) throw new DisposedError(`parameter "${name}"`);
    if (parameter.value.runtime !== first.value.runtime)
      fail(`source.${name}`, 'a parameter of the same runtime', parameter);
  }
  return () => list;
}

function checkDecay(argument: string, value: unknown): number {
  return checkNumber(argument, value, '[0, 1)', (x) => x >= 0 && x < 1);
}
