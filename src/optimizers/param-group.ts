/** Groups of parameters that share hyperparameters. */
import type { Parameter, ParameterInit } from '../tensors/parameter';
import type { LearningRate } from '../types';
import { checkNumber, fail } from '../validate';

/** Parameters by name: values, shapes, or a model's own Parameter objects, which are used where they lie. */
export type ParameterRecord = Readonly<Record<string, ParameterInit | Parameter>>;

/** Hyperparameters that every group has. */
export interface Hyperparameters {
  lr: LearningRate;
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;
}

/** A group as given: what it leaves out comes from the optimizer's options. */
export interface ParamGroupInit extends Partial<Hyperparameters> {
  readonly params: ParameterRecord;
  /** Frozen parameters are in no norm, no finite check and no decay, and keep their state. @default false */
  readonly frozen?: boolean;
}

/** All parameters as one group, or several groups. */
export type ParamsInit = ParameterRecord | readonly ParamGroupInit[];

/** A group of an optimizer. `lr`, `weightDecay` and `frozen` may be changed between steps; a wrong value throws at once. */
export class ParamGroup {
  /** Index in `optimizer.paramGroups`. */
  readonly index: number;
  /** Names of its parameters. */
  readonly params: readonly string[];
  #betas: readonly [number, number];
  #eps: number;
  #lr: LearningRate;
  #weightDecay: number;
  #frozen: boolean;

  /** @internal */
  constructor(index: number, params: readonly string[], hyperparameters: Hyperparameters, frozen: boolean) {
    this.index = index;
    this.params = Object.freeze([...params]);
    this.#betas = Object.freeze([...hyperparameters.betas] as [number, number]);
    this.#eps = hyperparameters.eps;
    this.#lr = hyperparameters.lr;
    this.#weightDecay = hyperparameters.weightDecay;
    this.#frozen = frozen;
  }

  get betas(): readonly [number, number] {
    return this.#betas;
  }

  get eps(): number {
    return this.#eps;
  }

  get lr(): LearningRate {
    return this.#lr;
  }

  set lr(value: LearningRate) {
    this.#lr = checkLearningRate('lr', value);
  }

  get weightDecay(): number {
    return this.#weightDecay;
  }

  set weightDecay(value: number) {
    this.#weightDecay = checkWeightDecay('weightDecay', value);
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  set frozen(value: boolean) {
    this.#frozen = checkBoolean('frozen', value);
  }

  /** @internal Takes over checked hyperparameters, as a state dict has them. */
  assign(hyperparameters: Hyperparameters, frozen: boolean): void {
    this.#betas = Object.freeze([...hyperparameters.betas] as [number, number]);
    this.#eps = hyperparameters.eps;
    this.#lr = hyperparameters.lr;
    this.#weightDecay = hyperparameters.weightDecay;
    this.#frozen = frozen;
  }

  /**
   * @internal The learning rate of a step.
   * @param step 1-based
   */
  learningRateAt(step: number): number {
    if (typeof this.#lr === 'number') return this.#lr;
    const lr = this.#lr(step);
    if (typeof lr !== 'number' || !Number.isFinite(lr) || lr < 0) {
      fail(`lr(${step})`, 'a number in [0, ∞)', lr);
    }
    return lr;
  }
}

export function checkLearningRate(argument: string, value: unknown): LearningRate {
  if (typeof value === 'function') return value as LearningRate;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    fail(argument, 'a number in [0, ∞) or a function of the step', value);
  }
  return value;
}

export function checkWeightDecay(argument: string, value: unknown): number {
  return checkNumber(argument, value, '[0, ∞)', (x) => x >= 0);
}

export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') fail(argument, 'true or false', value);
  return value;
}

/** Two averaging factors, each in [0, 1). `where` follows the argument's name in errors. */
export function checkBetas(argument: string, value: unknown, where = ''): readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) fail(argument + where, 'a pair of numbers', value);
  const [beta1, beta2] = value.map((beta, index) => {
    return checkNumber(`${argument}[${index}]${where}`, beta, '[0, 1)', (x) => x >= 0 && x < 1);
  });
  return [beta1, beta2];
}
