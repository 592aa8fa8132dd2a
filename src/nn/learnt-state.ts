/**
 * The learnt state of a model: parameters, running statistics, the provisional statistics of passes
 * whose step is still to come, and the number of training passes. It also decides who may change
 * them.
 *
 * Invariant: running statistics change only by accepted steps, `commit` and loading. A pass whose
 * step is refused leaves no trace in them.
 */
import { ArgumentError, BusyError, DisposedError } from '../errors';
import { elementCount } from '../math/shape';
import type { Runtime } from '../runtime/runtime';
import { EvaluatedTensor, type ParameterOwner } from '../tensors/evaluated-tensor';
import { checkElements, checkShape, Parameter } from '../tensors/parameter';
import { Tensor } from '../tensors/tensor';
import { createRecord } from '../tensors/views';
import {
  checkChoice,
  checkInteger,
  checkObject,
  checkOptions,
  fail,
  isFloat32Array,
} from '../validate';
import type { NamedArray, NetworkPlan } from './network-plan';
import { readHistory, TrainingHistory, type TrainingHistoryState } from './training-history';

/** Arrays of a model by name. */
export type ModelArrays = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
>;

/** State dict of a model: plain data, and copies. */
export interface ModelStateDict extends TrainingHistoryState {
  /** Values of all parameters, and running statistics. */
  readonly arrays: ModelArrays;
  /** Number of training passes so far; dropout's random numbers depend on it. */
  readonly trainingPasses: number;
  /**
   * Provisional running statistics, which the next accepted step commits. Present only between a
   * training pass and its step, and only with `point: 'trained'`.
   */
  readonly pendingStatistics?: ModelArrays;
}

export interface ModelStateDictOptions {
  /**
   * Which weights to return. 'evaluated': those that `evaluate` and `predict` use, for deployment;
   * with Schedule-Free or an applied ExponentialMovingAverage these are averages. 'trained': those
   * that the next step starts from, for resuming training.
   * @default 'evaluated'
   */
  point?: 'evaluated' | 'trained';
}

const STATE_FIELDS = [
  'arrays',
  'trainingPasses',
  'pendingStatistics',
  'classNames',
  'columns',
  'epochs',
];

/**
 * Addresses that passes read and write, by layer. They are rewritten in place before every pass.
 */
export interface LearntAddresses {
  readonly weights: number[][];
  readonly gradients: readonly (readonly number[])[];
  readonly statistics: number[][];
  readonly nextStatistics: number[][];
}

/** The exclusive use of a model by one operation. */
export interface Occupation {
  /** Whether the operation itself is running now, so that its own calls are allowed. */
  own: boolean;
  release(): void;
}

/** A running statistic with the provisional one that replaces it when the step is accepted. */
interface PendingFigure {
  readonly name: string;
  readonly running: Tensor;
  readonly next: Tensor;
}

export class LearntState implements ParameterOwner {
  /** Trainable parameters by name. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Running statistics by name. */
  readonly runningStatistics: Readonly<Record<string, EvaluatedTensor>>;
  /** Tensors of all parameters and running statistics by name. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly addresses: LearntAddresses;
  /** Names of the classes and columns, and numbers of epochs, of the training so far. */
  readonly history = new TrainingHistory();
  trainingPasses = 0;
  readonly #plan: NetworkPlan;
  readonly #arrays: readonly NamedArray[];
  readonly #pending: readonly PendingFigure[];
  /** Whether there are training passes whose step is still to come. */
  #underWay = false;
  /** The kind of pass that `addresses` are set for. */
  #reading: 'training' | 'evaluation' = 'training';
  #occupation: (Occupation & { readonly what: string }) | null = null;
  /** Label of the optimizer whose current step uses the parameters. */
  #stepping: string | null = null;
  #disposed = false;

  /** @throws OutOfMemoryError; nothing stays allocated then */
  constructor(runtime: Runtime, plan: NetworkPlan, training: boolean) {
    const parameters = createRecord<Parameter>();
    const running = createRecord<EvaluatedTensor>();
    const weights = createRecord<Tensor>();
    const pending: PendingFigure[] = [];
    this.#plan = plan;
    [this.parameters, this.runningStatistics, this.weights, this.#pending] = [
      parameters,
      running,
      weights,
      pending,
    ];
    this.#arrays = plan.stages.flatMap((stage) => [...stage.parameters, ...stage.statistics]);
    try {
      for (const stage of plan.stages) {
        for (const { fullName, shape, frozen } of stage.parameters) {
          if (!training || frozen) weights[fullName] = new Tensor(runtime, shape);
          else
            weights[fullName] = (parameters[fullName] = new Parameter(
              runtime,
              shape,
              false,
              this,
            )).value;
        }
        for (const { fullName, shape, minimum } of stage.statistics) {
          weights[fullName] = (running[fullName] = new EvaluatedTensor(
            runtime,
            shape,
            minimum,
          )).value;
          if (!training || stage.evaluated) continue;
          pending.push({
            name: fullName,
            running: weights[fullName],
            next: new Tensor(runtime, shape),
          });
        }
      }
    } catch (error) {
      this.#release();
      throw error;
    }
    for (const record of [parameters, running, weights]) Object.freeze(record);
    const addressesOf = (arrays: readonly NamedArray[]) =>
      arrays.map(({ fullName }) => weights[fullName].address);
    const nextAddress = (name: string) =>
      pending.find((figure) => figure.name === name)?.next.address ?? 0;
    this.addresses = {
      weights: plan.stages.map((stage) => addressesOf(stage.parameters)),
      gradients: plan.stages.map((stage) =>
        stage.parameters.map(({ fullName }) => parameters[fullName]?.grad.address ?? 0),
      ),
      statistics: plan.stages.map((stage) => addressesOf(stage.statistics)),
      nextStatistics: plan.stages.map((stage) =>
        stage.statistics.map(({ fullName }) => nextAddress(fullName)),
      ),
    };
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Prepares a pass with the weights and statistics of evaluation. */
  readForEvaluation(): void {
    this.#reading = 'evaluation';
    const { weights, statistics } = this.addresses;
    for (let index = 0; index < this.#plan.stages.length; index++) {
      const stage = this.#plan.stages[index];
      for (let k = 0; k < stage.parameters.length; k++) {
        const { fullName } = stage.parameters[k];
        weights[index][k] = (
          this.parameters[fullName]?.evaluationValue ?? this.weights[fullName]
        ).address;
      }
      for (let k = 0; k < stage.statistics.length; k++) {
        statistics[index][k] =
          this.runningStatistics[stage.statistics[k].fullName].evaluationValue.address;
      }
    }
  }

  /** Prepares a training pass, which updates the provisional statistics. */
  readForTraining(): void {
    if (this.#reading !== 'training') this.#readTrained();
    if (this.#underWay) return;
    for (let index = 0; index < this.#pending.length; index++) {
      const { running, next } = this.#pending[index];
      next.data.set(running.data);
    }
    this.#underWay = true;
  }

  /** Counts a complete training pass. */
  countPass(): void {
    this.trainingPasses = (this.trainingPasses + 1) % 2 ** 32;
  }

  /** Discards the provisional statistics. */
  discard(): void {
    this.#underWay = false;
  }

  /** Replaces the running statistics by the provisional ones. */
  commit(): void {
    if (!this.#underWay) return;
    for (let index = 0; index < this.#pending.length; index++) {
      const { running, next } = this.#pending[index];
      running.data.set(next.data);
    }
    this.#underWay = false;
  }

  checkAccess(what: string): void {
    if (this.#disposed) throw new DisposedError('the model');
    if (this.#stepping !== null) throw new BusyError(what, `inside a step of ${this.#stepping}`);
    if (this.#occupation && !this.#occupation.own) {
      throw new BusyError(what, `while ${this.#occupation.what} is under way: await it first`);
    }
  }

  beginStep(what: string): void {
    this.checkAccess(what);
    this.#stepping = what;
  }

  endStep(outcome: 'accepted' | 'refused' | 'failed'): void {
    this.#stepping = null;
    if (outcome === 'accepted') this.commit();
    if (outcome === 'refused') this.discard();
  }

  /**
   * Reserves the model: until `release`, others may neither train it, load into it nor dispose it.
   * @throws BusyError if it is reserved already, or inside a step
   */
  occupy(what: string): Occupation {
    this.checkAccess('the model');
    const occupation = {
      what,
      own: false,
      release: () => {
        if (this.#occupation === occupation) this.#occupation = null;
      },
    };
    this.#occupation = occupation;
    return occupation;
  }

  stateDict(options: ModelStateDictOptions = {}): ModelStateDict {
    checkOptions('options', options, ['point']);
    const point = checkChoice('point', options.point ?? 'evaluated', ['evaluated', 'trained']);
    const arrays = createRecord<ModelArrays[string]>();
    for (const { fullName, shape } of this.#arrays) {
      arrays[fullName] = { shape, data: this.#valueAt(fullName, point).data.slice() };
    }
    const state = { arrays, trainingPasses: this.trainingPasses, ...this.history.stateDict() };
    if (point === 'evaluated' || !this.#underWay || this.#pending.length === 0) return state;
    const pendingStatistics = createRecord<ModelArrays[string]>();
    for (const { name, next } of this.#pending)
      pendingStatistics[name] = { shape: next.shape, data: next.data.slice() };
    return { ...state, pendingStatistics };
  }

  /**
   * Checks a state dict and returns the function that loads it, which cannot fail.
   * @param isLeftAlone tells which arrays somebody else loads; the state dict need not have them
   * @throws ArgumentError naming the array that does not fit
   */
  prepareLoad(
    path: string,
    state: ModelStateDict,
    isLeftAlone: (name: string) => boolean = () => false,
  ): () => void {
    const wanted = this.#arrays.filter(({ fullName }) => !isLeftAlone(fullName));
    const arrays = checkArrays(`${path}.arrays`, state.arrays, wanted, this.#arrays);
    for (const { fullName } of wanted) {
      if (this.parameters[fullName]?.heldByTraining) {
        const expected =
          'a model whose optimizer evaluates the weights that it trains (load its state dict)';
        throw new ArgumentError(
          `${path}.arrays.${fullName}`,
          expected,
          'one that has such an optimizer',
        );
      }
    }
    const { pendingStatistics, trainingPasses } = state;
    const history = readHistory(path, state);
    const planned = this.#arrays.filter(({ fullName }) =>
      this.#pending.some(({ name }) => name === fullName),
    );
    const next =
      pendingStatistics &&
      checkArrays(`${path}.pendingStatistics`, pendingStatistics, planned, planned);
    return () => {
      for (const [name, data] of arrays) this.weights[name].data.set(data);
      for (const figure of this.#pending) if (next) figure.next.data.set(next.get(figure.name)!);
      this.#underWay = next !== undefined;
      this.trainingPasses = trainingPasses;
      this.history.load(history);
    };
  }

  /** @throws BusyError */
  dispose(): void {
    this.checkAccess('the model');
    this.#disposed = true;
    this.#release();
  }

  #readTrained(): void {
    this.#reading = 'training';
    const { weights, statistics } = this.addresses;
    for (const [index, { parameters, statistics: figures }] of this.#plan.stages.entries()) {
      for (const [k, { fullName }] of parameters.entries())
        weights[index][k] = this.weights[fullName].address;
      for (const [k, { fullName }] of figures.entries())
        statistics[index][k] = this.weights[fullName].address;
    }
  }

  #release(): void {
    for (const parameter of Object.values(this.parameters)) parameter.dispose();
    for (const tensor of Object.values(this.weights)) tensor.dispose();
    for (const { next } of this.#pending) next.dispose();
  }

  #valueAt(name: string, point: 'evaluated' | 'trained'): Tensor {
    const source =
      point === 'evaluated' ? (this.parameters[name] ?? this.runningStatistics[name]) : undefined;
    return source?.evaluationValue ?? this.weights[name];
  }
}

/**
 * Checks the form of a model's state dict, wherever it comes from. Whether it fits a model
 * `LearntState.prepareLoad` checks.
 * @returns the same state; its arrays are not copied
 * @throws ArgumentError naming the field
 */
export function readModelStateDict(path: string, value: unknown): ModelStateDict {
  checkOptions(path, value, STATE_FIELDS);
  const fields = checkObject(path, value);
  const { arrays, trainingPasses, pendingStatistics } = fields;
  const history = readHistory(path, fields);
  return {
    arrays: readArrays(`${path}.arrays`, arrays),
    trainingPasses: checkInteger(`${path}.trainingPasses`, trainingPasses, 0, 2 ** 32 - 1),
    ...history,
    ...(pendingStatistics !== undefined && {
      pendingStatistics: readArrays(`${path}.pendingStatistics`, pendingStatistics),
    }),
  };
}

function readArrays(path: string, value: unknown): ModelArrays {
  const arrays = createRecord<ModelArrays[string]>();
  for (const [name, array] of Object.entries(checkObject(path, value))) {
    const { shape, data } = checkObject(`${path}.${name}`, array);
    if (!isFloat32Array(data)) fail(`${path}.${name}.data`, 'a Float32Array', data);
    if (!Array.isArray(shape)) fail(`${path}.${name}.shape`, 'an array of sizes', shape);
    const sizes = shape.map((size: unknown, index) =>
      checkInteger(`${path}.${name}.shape[${index}]`, size, 0, Number.MAX_SAFE_INTEGER),
    );
    arrays[name] = { shape: sizes, data };
  }
  return arrays;
}

/**
 * Checks arrays against their plan: their shapes, and that all elements are finite and no smaller
 * than its minimum.
 * @param known the arrays that may be there
 * @returns copies by name
 */
function checkArrays(
  path: string,
  arrays: ModelArrays,
  wanted: readonly NamedArray[],
  known: readonly NamedArray[],
): ReadonlyMap<string, Float32Array> {
  const names = known.map(({ fullName }) => fullName);
  checkOptions(path, arrays, names);
  return new Map(
    wanted.map(({ fullName, shape, minimum = -Infinity }) => {
      const given = Object.hasOwn(arrays, fullName) ? arrays[fullName] : undefined;
      const length = elementCount(shape);
      if (given?.data.length !== length)
        fail(`${path}.${fullName}.data`, `a Float32Array of ${length} elements`, given?.data);
      checkShape(`${path}.${fullName}.shape`, given.shape, shape);
      const data = given.data.slice();
      checkElements(`${path}.${fullName}.data`, data, minimum);
      return [fullName, data];
    }),
  );
}
