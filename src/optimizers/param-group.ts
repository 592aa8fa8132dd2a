/** Groups of parameters that share hyperparameters. */
import type { Parameter, ParameterInit } from '../tensors/parameter';
import { fail } from '../validate';
import type { AnyHyperparameters, BaseHyperparameters, Fields } from './hyperparameters';

/** Parameters by name: values, shapes, or a model's own Parameter objects, which are used where they lie. */
export type ParameterRecord = Readonly<Record<string, ParameterInit | Parameter>>;

/** A group as given: what it leaves out comes from the optimizer's options. */
export type ParamGroupInit<H extends object = AnyHyperparameters> = Partial<H> & {
  readonly params: ParameterRecord;
  /** Frozen parameters are in no norm, no finite check and no decay, and keep their state. @default false */
  readonly frozen?: boolean;
};

/** All parameters as one group, or several groups. */
export type ParamsInit<H extends object = AnyHyperparameters> = ParameterRecord | readonly ParamGroupInit<H>[];

/**
 * A group of an optimizer, with its hyperparameters as properties. All but `betas`, `state` and `min8bitSize` may be changed between steps; a wrong
 * value throws at once and changes nothing.
 */
export type ParamGroup<H extends object = BaseHyperparameters> = GroupCore<H> & H;

class GroupCore<H extends object> {
  /** Index in `optimizer.paramGroups`. */
  readonly index: number;
  /** Names of its parameters. */
  readonly params: readonly string[];
  #values: H;
  #frozen: boolean;

  constructor(
    index: number,
    params: readonly string[],
    values: H,
    frozen: boolean,
    fields: Fields<H>,
    together: (values: H) => void,
  ) {
    this.index = index;
    this.params = Object.freeze([...params]);
    this.#values = values;
    this.#frozen = frozen;
    for (const name of Object.keys(fields) as (keyof H & string)[]) {
      const set = (value: unknown): void => {
        const changed = { ...this.#values, [name]: fields[name].check(name, value, '') };
        together(changed);
        this.#values = changed;
      };
      Object.defineProperty(this, name, {
        enumerable: true,
        get: () => this.#values[name],
        set: fields[name].fixed ? undefined : set,
      });
    }
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  set frozen(value: boolean) {
    this.#frozen = checkBoolean('frozen', value);
  }

  /** @internal All hyperparameters. */
  get hyperparameters(): Readonly<H> {
    return this.#values;
  }

  /** @internal Takes over checked hyperparameters, as a state dict has them. */
  assign(values: H, frozen: boolean): void {
    this.#values = values;
    this.#frozen = frozen;
  }
}

/** @internal @param together throws when hyperparameters do not fit one another */
export function createGroup<H extends object>(
  index: number,
  params: readonly string[],
  values: H,
  frozen: boolean,
  fields: Fields<H>,
  together: (values: H) => void,
): ParamGroup<H> {
  return new GroupCore(index, params, values, frozen, fields, together) as ParamGroup<H>;
}

/**
 * The learning rate of a step.
 * @param step 1-based
 */
export function learningRateAt({ lr }: BaseHyperparameters, step: number): number {
  if (typeof lr === 'number') return lr;
  const value = lr(step);
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) fail(`lr(${step})`, 'a number in [0, ∞)', value);
  return value;
}

export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') fail(argument, 'true or false', value);
  return value;
}
