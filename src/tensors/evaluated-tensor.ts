/**
 * Tensors that an average can replace in evaluation, and the interface of the model that owns them.
 */
import type { Runtime } from '../runtime/runtime';
import { Tensor } from './tensor';

/** A tensor that replaces another one while a model evaluates. */
interface StandIn {
  readonly point: () => Tensor;
  readonly owner: object;
  /**
   * Whether the owner trains other weights than it evaluates, so that nobody else may write
   * `value`.
   */
  readonly holdsTraining: boolean;
}

/**
 * A tensor of a model that an average can replace while the model evaluates: a parameter, or a
 * running statistic. The model that created it frees it.
 *
 * @example
 * const { value, evaluationValue } = model.parameters['dense1.weight'];
 * console.log(value === evaluationValue); // true, unless an average is applied
 */
export class EvaluatedTensor {
  /** Tensor that training reads and writes. */
  readonly value: Tensor;
  /** @internal Smallest value that an element may have. */
  readonly minimum: number;
  /** The last of them is used. */
  #standIns: readonly StandIn[] = [];

  /**
   * @internal Allocates the value.
   * @throws OutOfMemoryError
   */
  constructor(runtime: Runtime, shape: readonly number[], minimum = -Infinity) {
    this.value = new Tensor(runtime, shape);
    this.minimum = minimum;
  }

  /**
   * Tensor that models read in evaluation: `value`, or the average of Schedule-Free or of an
   * applied ExponentialMovingAverage that replaces it.
   */
  get evaluationValue(): Tensor {
    return this.#standIns.at(-1)?.point() ?? this.value;
  }

  /** @internal Whether an optimizer has state that fits only the present value. */
  get heldByTraining(): boolean {
    return this.#standIns.some(
      ({ point, holdsTraining }) => holdsTraining && point() !== this.value,
    );
  }

  /**
   * @internal Lets `point()` replace the value in evaluation; null removes the owner's replacement.
   * @param holdsTraining whether the owner trains other weights than it evaluates
   */
  evaluateAt(point: (() => Tensor) | null, owner: object, holdsTraining = false): void {
    const others = this.#standIns.filter((standIn) => standIn.owner !== owner);
    this.#standIns = point ? [...others, { point, owner, holdsTraining }] : others;
  }

  /** @internal Frees the value. Models do it for their own tensors. */
  dispose(): void {
    this.value.dispose();
  }
}

/**
 * The owner of a model's parameters. Optimizers announce their steps to it, so that the
 * running statistics of a forward pass are committed exactly if the step with its gradients is
 * accepted.
 */
export interface ParameterOwner {
  /** Arrays that a model learns without gradients, by name. */
  readonly runningStatistics: Readonly<Record<string, EvaluatedTensor>>;
  readonly disposed: boolean;
  /**
   * Checks that `what` may change the parameters now.
   * @throws BusyError during other operations; DisposedError after the model's disposal
   */
  checkAccess(what: string): void;
  /** Begins a step: until it ends, nothing else may use the parameters. Throws as `checkAccess`. */
  beginStep(what: string): void;
  /**
   * Ends a step that was accepted, was refused because of its gradients, or has failed and can be
   * repeated.
   */
  endStep(outcome: 'accepted' | 'refused' | 'failed'): void;
}
