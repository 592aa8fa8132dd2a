/**
 * What a model remembers of its training besides the numbers it has learnt: the names of classes
 * and columns, so that data whose classes or columns are others, or in another order, are refused;
 * and how far the order of samples has come for each seed.
 */
import { ArgumentError } from '../errors';
import { checkInteger, checkObject, describe, fail } from '../validate';

/** Names that come with data. */
export interface DataNames {
  /** The classes' names, by class index. */
  readonly classNames?: readonly string[];
  /** The features' names, in the order of a sample's values. */
  readonly columns?: readonly string[];
}

/** Plain data; fields that say nothing are left out. */
export interface TrainingHistoryState extends DataNames {
  /** Complete epochs of `fit` by the seed of their order. */
  readonly epochs?: Readonly<Record<string, number>>;
}

/** Seeds whose epochs are remembered; the one trained with longest ago is forgotten first. */
const MAX_SEEDS = 1000;
/** The largest count of epochs: so many that a run's own epochs can still be added. */
const MAX_EPOCHS = 2 ** 49;

export class TrainingHistory {
  #classNames: readonly string[] | undefined;
  #columns: readonly string[] | undefined;
  /** By seed, the latest last. */
  #epochs: ReadonlyMap<number, number> = new Map();

  get classNames(): readonly string[] | undefined {
    return this.#classNames;
  }

  get columns(): readonly string[] | undefined {
    return this.#columns;
  }

  /** Remembers checked names where it knows none yet. */
  takeNames({ classNames, columns }: DataNames): void {
    this.#classNames ??= classNames;
    this.#columns ??= columns;
  }

  /** Complete epochs with a seed. */
  epochsOf(seed: number): number {
    return this.#epochs.get(seed) ?? 0;
  }

  setEpochs(seed: number, epochs: number): void {
    const others = [...this.#epochs].filter(([other]) => other !== seed);
    this.#epochs = new Map([...others.slice(1 - MAX_SEEDS), [seed, epochs]]);
  }

  stateDict(): TrainingHistoryState {
    const epochs = this.#epochs.size > 0 ? Object.fromEntries(this.#epochs) : undefined;
    const known = { classNames: this.#classNames, columns: this.#columns, epochs };
    return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  }

  /** Replaces everything that is remembered by a checked state. */
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
 * A frozen copy of names, or undefined if there are none. @throws ArgumentError for what is no
 * array of strings
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
 * Compares names with those that a model knows.
 * @throws ArgumentError naming the first place where they differ
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
  const hint = reordered
    ? ' (the names are the same in another order: parseCsv takes the order that is wanted)'
    : '';
  const expected = `${describe(known[wrong])}, as in the data that the model was trained with${hint}`;
  throw new ArgumentError(`${argument}[${wrong}]`, expected, describe(names[wrong]));
}
