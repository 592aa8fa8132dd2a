/**
 * The exponential moving average of the weights.
 *
 * Invariant: averages change by `update` and `loadStateDict` alone; the weights themselves are
 * never written.
 */
import { ArgumentError, DisposedError } from '../errors';
import { Optimizer } from '../optimizers/optimizer';
import type { StateDictParameter } from '../optimizers/state-dict';
import { checkFloats, Parameter } from '../tensors/parameter';
import { type NamedTensor, ShadowTensors } from '../tensors/shadow-tensors';
import { createRecord, defineView, type TensorViews } from '../tensors/views';
import { checkInteger, checkNumber, checkOptions, describe, fail } from '../validate';

export interface MovingAverageOptions {
  /**
   * β, how much of the average stays at an update: in [0, 1), or a function of the update (1-based)
   * for a warm-up, such as `(t) => Math.min(0.999, (1 + t) / (10 + t))`.
   * @default 0.999
   */
  decay?: number | ((update: number) => number);
}

/** Averages and their count: plain data, and copies. */
export interface MovingAverageStateDict {
  /** Of this schema. */
  version: 1;
  /** Updates made. */
  updates: number;
  params: Record<string, StateDictParameter>;
}

/**
 * An exponential moving average of weights, which often generalises better than the weights
 * themselves:
 *
 *     w̄ ← w̄ - (1-β)·(w̄ - w)
 *
 * in float32, beginning with the weights as they are when the average is created, so that no bias
 * needs correcting (optax.ema begins with zeros and corrects). Weights that do not change are kept
 * exactly. An average comes no nearer to its weights than half a float32 step divided by 1-β: up to
 * 6e-5 of them with β = 0.999. It takes 4 bytes a parameter. Parameters that come with
 * `addParamGroup` join at the next update, with the weights they have then.
 *
 * Running figures of the models that the parameters belong to (batch norm's means and variances)
 * are averaged alike, and stand in together with the weights: an averaged network evaluates with
 * figures of its own. Their names are those in `model.weights`; where two models under one
 * optimizer have the same, the second's end with `#2`.
 *
 * @example
 * const optimizer = new AdaL(await createRuntime(), { w: new Float32Array(10) });
 * const average = new ExponentialMovingAverage(optimizer, { decay: 0.99 });
 * for (let t = 1; t <= 100; t++) {
 *   optimizer.grads.w.set(optimizer.params.w.map((w) => w - 1 + Math.sin(t)));
 *   optimizer.step();
 *   average.update();
 * }
 * console.log(average.params.w); // and after average.apply() a model that has these parameters
 * evaluates with them
 * @see optax.ema; Polyak and Juditsky 1992
 */
export class ExponentialMovingAverage {
  /**
   * Live views of the averages in linear memory, by name. Ask again after anything that may
   * allocate.
   */
  readonly params: TensorViews = createRecord<Float32Array>();
  readonly #averages: ShadowTensors;
  readonly #decay: number | ((update: number) => number);
  readonly #check = () => this.#averages.check();
  #updateCount = 0;
  #applied = false;

  /**
   * @param source an optimizer, or parameters by name as a model has them
   * @throws ArgumentError for options out of range
   * @throws OutOfMemoryError; nothing stays allocated then
   */
  constructor(
    source: Optimizer | Readonly<Record<string, Parameter>>,
    options: MovingAverageOptions = {},
  ) {
    checkOptions('options', options, ['decay']);
    const { decay = 0.999 } = options;
    this.#decay = typeof decay === 'function' ? decay : checkDecay('decay', decay);
    const list = listAveraged(source);
    const { runtime } = source instanceof Optimizer ? source : list()[0].parameter.value;
    this.#averages = new ShadowTensors(runtime, list, 'the moving average');
    this.#follow();
  }

  /** Updates made. */
  get updateCount(): number {
    return this.#updateCount;
  }

  /** Whether models evaluate with the averages. */
  get applied(): boolean {
    return this.#applied;
  }

  /**
   * Takes the weights as they are now into the averages: call it after every step. Allocates
   * nothing, unless parameters have come.
   * @throws ArgumentError when `decay` is a function that gives anything but a number in [0, 1);
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
   * From now on every forward pass without gradients (`model.evaluate`, `model.predict`,
   * `evaluate`) is made with the averages. Training goes on with the weights.
   */
  apply(): void {
    this.#check();
    this.#averages.checkAlive();
    this.#applied = true;
    this.#standIn(0);
  }

  /** From now on models evaluate with their weights again. */
  restore(): void {
    this.#check();
    this.#applied = false;
    for (const { parameter } of this.#averages.parameters) parameter.evaluateAt(null, this);
  }

  /** Everything that the next updates depend on, the weights apart. */
  stateDict(): MovingAverageStateDict {
    this.#check();
    const params = createRecord<StateDictParameter>();
    for (const [index, { name }] of this.#averages.parameters.entries()) {
      const { shape, data } = this.#averages.tensors[index];
      params[name] = { shape, data: data.slice() };
    }
    return { version: 1, updates: this.#updateCount, params };
  }

  /**
   * Takes over what `stateDict` returned.
   * @throws ArgumentError naming the key that does not fit; nothing has changed then
   */
  loadStateDict(dict: MovingAverageStateDict): void {
    this.prepareLoad(dict)();
  }

  /** @internal What is averaged. */
  get averaged(): readonly NamedTensor[] {
    this.#follow();
    return this.#averages.parameters;
  }

  /**
   * @internal Checks a state dict, and returns what takes it over; that cannot fail. @throws
   * ArgumentError
   */
  prepareLoad(dict: MovingAverageStateDict): () => void {
    this.#follow();
    this.#averages.checkAlive();
    if (typeof dict !== 'object' || dict === null) fail('stateDict', 'an object', dict);
    if (dict.version !== 1) fail('stateDict.version', '1', dict.version);
    checkInteger('stateDict.updates', dict.updates, 0, Number.MAX_SAFE_INTEGER);
    const params = this.#averages.match('stateDict.params', dict.params);
    const { parameters, tensors } = this.#averages;
    const values = params.map((given, index) => {
      const path = `stateDict.params.${parameters[index].name}`;
      const { shape, length, runtime } = tensors[index];
      if (String(given?.shape) !== String(shape))
        fail(`${path}.shape`, describe([...shape]), given?.shape);
      const data = checkFloats(`${path}.data`, given.data, runtime, length).slice();
      const { minimum } = parameters[index].parameter;
      const wrong = data.findIndex((value) => !Number.isFinite(value) || value < minimum);
      const range =
        minimum > -Infinity ? `a finite number of at least ${minimum}` : 'a finite number';
      if (wrong >= 0)
        throw new ArgumentError(`${path}.data[${wrong}]`, range, describe(data[wrong]));
      return data;
    });
    const { updates } = dict;
    return () => {
      for (const [index, data] of values.entries()) tensors[index].data.set(data);
      this.#updateCount = updates;
    };
  }

  /** Frees the memory; models evaluate with their weights again. */
  dispose(): void {
    if (!this.#averages.dispose()) return;
    for (const { parameter } of this.#averages.parameters) parameter.evaluateAt(null, this);
  }

  /** Averages of parameters that have come begin as copies of them. */
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

  /** Lets the averages from index `first` on stand in for their parameters. */
  #standIn(first: number): void {
    const { parameters, tensors } = this.#averages;
    for (let i = first; i < parameters.length; i++)
      parameters[i].parameter.evaluateAt(() => tensors[i], this);
  }
}

/** A function that lists what is averaged, since an optimizer's parameters may grow in number. */
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
      for (const [figure, tensor] of Object.entries(owner.runningFigures)) {
        listed.push({
          name: owners.size === 1 ? figure : `${figure}#${owners.size}`,
          parameter: tensor,
        });
      }
    }
    return listed;
  };
}

/** A function that lists the parameters. */
function listParameters(
  source: unknown,
): () => readonly { readonly name: string; readonly parameter: Parameter }[] {
  if (source instanceof Optimizer) return () => source.registered;
  if (typeof source !== 'object' || source === null)
    fail('source', 'an optimizer, or an object of Parameters by name', source);
  const list = Object.entries(source).map(([name, parameter]) => {
    if (!(parameter instanceof Parameter))
      fail(`source.${name}`, "a Parameter, as a model's are", parameter);
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
