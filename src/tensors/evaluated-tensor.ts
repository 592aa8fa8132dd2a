/** Tensors that evaluation may read elsewhere, and the model that owns them. */
import type { Runtime } from '../runtime/runtime';
import { Tensor } from './tensor';

/** A tensor that stands in for another while a model evaluates. */
interface StandIn {
  readonly point: () => Tensor;
  readonly owner: object;
  /**
   * Whether the owner trains at another point than it evaluates at, so that `value` may not be
   * written by others.
   */
  readonly holdsTraining: boolean;
}

/**
 * A tensor of a model for which an average may stand in while the model evaluates: a parameter, or
 * a running figure.
 */
export class EvaluatedTensor {
  /** The values that training reads and writes. */
  readonly value: Tensor;
  /** @internal The least value that an element may have. */
  readonly minimum: number;
  /** The last of them counts. */
  #standIns: readonly StandIn[] = [];

  /** @internal Allocates zeros. */
  constructor(runtime: Runtime, shape: readonly number[], minimum = -Infinity) {
    this.value = new Tensor(runtime, shape);
    this.minimum = minimum;
  }

  /**
   * What models read in evaluation: the value, unless something better stands in for it, as the
   * average of Schedule-Free or of an ExponentialMovingAverage does.
   */
  get evaluationValue(): Tensor {
    return this.#standIns.at(-1)?.point() ?? this.value;
  }

  /** @internal Whether an optimizer holds state that fits the value as it is, but no other. */
  get heldByTraining(): boolean {
    return this.#standIns.some(
      ({ point, holdsTraining }) => holdsTraining && point() !== this.value,
    );
  }

  /**
   * @internal From now on `point()` stands in for the value; with null whatever this owner had
   * stand in does no more.
   */
  evaluateAt(point: (() => Tensor) | null, owner: object, holdsTraining = false): void {
    const others = this.#standIns.filter((standIn) => standIn.owner !== owner);
    this.#standIns = point ? [...others, { point, owner, holdsTraining }] : others;
  }

  /** @internal Releases the memory. */
  dispose(): void {
    this.value.dispose();
  }
}

/**
 * What a model's parameters belong to. Optimizers tell it of their steps, so that what a forward
 * pass has found out about the data (running figures) counts if, and only if, the step counts that
 * was taken with its gradients.
 */
export interface ParameterOwner {
  /** Arrays that are learnt without gradients, by name. */
  readonly runningFigures: Readonly<Record<string, EvaluatedTensor>>;
  readonly disposed: boolean;
  /**
   * @throws BusyError when the parameters may not be changed now by `what`; DisposedError when they
   * are no more
   */
  checkAccess(what: string): void;
  /**
   * A step begins: until it ends, nothing else may use the parameters. Throws as `checkAccess`
   * does.
   */
  beginStep(what: string): void;
  /**
   * The step has ended: accepted, refused because of its gradients, or failed, so that it can be
   * taken once more.
   */
  endStep(outcome: 'accepted' | 'refused' | 'failed'): void;
}
