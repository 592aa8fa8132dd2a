/**
 * The training history of a model: the names of the classes and columns that it was trained with,
 * so that data with other names are refused, and the number of epochs that it was trained with each
 * seed, so that the next `fit` continues the sample order.
 */
import { ArgumentError } from '../errors';
import { checkInteger, checkObject, describe, fail } from '../validate';

/** Names of the classes and columns of data. */
export interface DataNames {
  /** Class names, by class index. */
  readonly classNames?: readonly string[];
  /** Feature names, in the order of a sample's values. */
  readonly columns?: readonly string[];
}

/** Training history as plain data; unknown fields are absent. */
export interface TrainingHistoryState extends DataNames {
  /** Number of complete epochs of `fit`, by seed. */
  readonly epochs?: Readonly<Record<string, number>>;
}

/** Number of seeds whose epochs are kept; the least recently used one is dropped first. */
const MAX_SEEDS = 1000;
/** Largest number of epochs that is loaded; a run can still add its own. */
const MAX_EPOCHS = 2 ** 49;

export class TrainingHistory {
  #classNames: readonly string[] | undefined;
  #columns: readonly string[] | undefined;
  /** Epochs by seed, the most recently used last. */
  #epochs: ReadonlyMap<number, number> = new Map();

  get classNames(): readonly string[] | undefined {
    return this.#classNames;
  }

  get columns(): readonly string[] | undefined {
    return this.#columns;
  }

  /** Takes checked names where none are known yet. */
  takeNames({ classNames, columns }: DataNames): void {
    this.#classNames ??= classNames;
    this.#columns ??= columns;
  }

  /** Returns the number of complete epochs with a seed. */
  epochsOf(seed: number): number {
    return this.#epochs.get(seed) ?? 0;
  }

  /** Sets the number of complete epochs with a seed. */
  setEpochs(seed: number, epochs: number): void {
    const others = [...this.#epochs].filter(([other]) => other !== seed);
    this.#epochs = new Map([...others.slice(1 - MAX_SEEDS), [seed, epochs]]);
  }

  /** Returns a copy of the history. */
  stateDict(): TrainingHistoryState {
    const epochs = this.#epochs.size > 0 ? Object.fromEntries(this.#epochs) : undefined;
    const known = { classNames: this.#classNames, columns: this.#columns, epochs };
    return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  }

  /** Replaces the history by a checked one. */
  load({ classNames, columns, epochs = {} }: TrainingHistoryState): void {
    this.#classNames = classNames;
    this.#columns = columns;
    const counts = Object.entries(epochs).map(([seed, count]) => [Number(seed), count] as const);
    this.#epochs = new Map(counts.slice(-MAX_SEEDS));
  }
}

/**
 * Checks the fields of a training history. Fields that are missing mean unknown.
 * @returns a copy
 * @throws ArgumentError naming the field
 */
export function readHistory(
  path: string,
  state: { readonly [Field in keyof TrainingHistoryState]?: unknown },
): TrainingHistoryState {
  const classNames = readNames(`${path}.classNames`, state.classNames);
  const columns = readNames(`${path}.columns`, state.columns);
  return {
    ...(classNames && { classNames }),
    ...(columns && { columns }),
    ...(state.epochs !== undefined && { epochs: readEpochs(`${path}.epochs`, state.epochs) }),
  };
}

function readEpochs(path: string, value: unknown): Readonly<Record<string, number>> {
  const counts = Object.entries(checkObject(path, value, 'counts of epochs by seed')).map(
    ([seed, count]) => {
      checkInteger(`${path}: the seed`, Number(seed), 0, Number.MAX_SAFE_INTEGER);
      return [seed, checkInteger(`${path}.${seed}`, count, 0, MAX_EPOCHS)];
    },
  );
  return Object.fromEntries(counts);
}

/**
 * Returns a frozen copy of names; undefined if there are none.
 * @throws ArgumentError for a value that is not an array of strings
 */
export function readNames(argument: string, names: unknown): readonly string[] | undefined {
  if (names === undefined) return undefined;
  if (!Array.isArray(names)) fail(argument, 'an array of names', names);
  const copy: unknown[] = [...names];
  const wrong = copy.findIndex((name) => typeof name !== 'string');
  if (wrong >= 0) fail(`${argument}[${wrong}]`, 'a name', copy[wrong]);
  return Object.freeze(copy as string[]);
}

/**
 * Compares the names of data with those that a model knows.
 * @throws ArgumentError naming the first difference
 */
export function checkSameNames(
  argument: string,
  names: readonly string[] | undefined,
  known: readonly string[] | undefined,
): void {
  if (names === undefined || known === undefined || names === known) return;
  if (names.length !== known.length) {
    throw new ArgumentError(
      argument,
      `the ${known.length} names that the model was trained with`,
      `${names.length} names`,
    );
  }
  const wrong = names.findIndex((name, index) => name !== known[index]);
  if (wrong < 0) return;
  const inOrder = [...known].sort();
  const reordered = [...names].sort().every((name, index) => name === inOrder[index]);
  const hint = reordered ? ' (the same names in another order: parseCsv can reorder them)' : '';
  const name = describe(known[wrong]);
  const expected = `${name}, as in the data that the model was trained with${hint}`;
  throw new ArgumentError(`${argument}[${wrong}]`, expected, describe(names[wrong]));
}
