/** Schedule-Free AdamW. Its kernel is assembly/optimizers/schedule-free.ts. */
import { ScheduleFreeKernel } from '../../build/optimizer-kernels';
import type { Tensor } from '../tensors/tensor';
import { createRecord, defineView, type TensorViews } from '../tensors/views';
import type { LearningRate } from '../types';
import { checkNumber } from '../validate';

import type { Algorithm, CommonOptions, OptimizerDeclaration, ScalarField } from './declaration';
import {
  averagingFactors,
  type Betas,
  epsilon,
  learningRate,
  nonNegative,
  normLimit,
} from './hyperparameters';
import { Optimizer } from './optimizer';
import { POWER } from './powers';
import type { RegisteredParameter } from './registered-parameter';
import { checkStateArray, floatsOf } from './state-array';
import type { LoadOptions, StateDict } from './state-dict';

/** Hyperparameters of `ScheduleFreeAdamW`. */
export interface ScheduleFreeHyperparameters {
  /** Learning rate: a number in [0, 2^64), or a function of the step (1-based). @default 2.5e-3 */
  lr: LearningRate;
  /** β1 in (0, 1 - 2^-25) and β2 in [0, 1 - 2^-25). @default [0.9, 0.999] */
  readonly betas: Betas;
  /**
   * ε, added to √v̂: 0 or a number in [2^-126, 2^64). With 0, a coordinate whose v is 0 in float32
   * does not move.
   * @default 1e-8
   */
  eps: number;
  /** Decoupled weight decay λ, applied to y. A number in [0, 2^64). @default 0 */
  weightDecay: number;
}

/** Options of `ScheduleFreeAdamW`: its hyperparameters, and the options of every optimizer. */
export interface ScheduleFreeAdamWOptions
  extends CommonOptions<ScheduleFreeHyperparameters>,
    Partial<ScheduleFreeHyperparameters> {}

const K = ScheduleFreeKernel.constants;
/** The state array in which state dicts have y. */
const TRAINING_POINT = 'y';

/** Σlr², which weighs the iterates in their average. */
const LR_SQUARE_SUM: ScalarField = {
  initial: 0,
  check: (path, value) =>
    checkNumber(path, value, `[0, ${Number.MAX_VALUE}]`, (x) => x >= 0 && x <= Number.MAX_VALUE),
};

const algorithm: Algorithm<ScheduleFreeHyperparameters> = {
  kernels: [ScheduleFreeKernel],
  stateNames: ['z', 'exp_avg_sq'],
  squares: ['exp_avg_sq'],
  scalars: { beta2Power: POWER, lrSquareSum: LR_SQUARE_SUM },
  derivedCount: 1,
  byRows: false,
  check({ betas: [beta1] }, where) {
    checkNumber(`betas[0]${where}`, beta1, '(0, 1)', (x) => x > 0);
  },
  limit(scalars) {
    scalars.normLimit = normLimit(scalars.lr, 1);
  },
  /**
   * z begins where the parameter is when its first step comes, so that it may be written before.
   */
  begin({ states, parameter }) {
    floatsOf(states[0]).set(parameter.value.data);
  },
  initialise({ states, parameter }) {
    floatsOf(states[0]).set(parameter.value.data);
  },
  prepare({ constants, lr, own }, { betas, eps, weightDecay }) {
    own[0] *= betas[1];
    const sum = own[1] + lr * lr;
    own[1] = sum;
    const c = sum > 0 ? (lr * lr) / sum : 0;
    constants[K.beta2] = betas[1];
    constants[K.c2] = 1 - betas[1];
    constants[K.s] = 1 / Math.sqrt(1 - own[0]);
    constants[K.eps] = eps;
    constants[K.lr] = lr;
    constants[K.wd] = weightDecay;
    constants[K.c] = c;
    constants[K.k] = lr * (1 - betas[0] + betas[0] * c);
  },
};

const scheduleFree: OptimizerDeclaration<ScheduleFreeHyperparameters, ScheduleFreeAdamWOptions> = {
  name: 'schedule-free-adamw',
  fields: {
    lr: learningRate(2.5e-3),
    betas: averagingFactors([0.9, 0.999]),
    eps: epsilon(1e-8),
    weightDecay: nonNegative(0),
  },
  algorithm: () => algorithm,
};

/** The averaged points of an optimizer. */
class AveragedPoints {
  readonly views: TensorViews = createRecord<Float32Array>();
  /** By parameter: after how many steps of the optimizer its x was computed. */
  readonly computedAt = new Map<RegisteredParameter, number>();
}

/**
 * Kept beside the optimizers and not in a field, since the constructor of `Optimizer` registers
 * parameters before the fields of a subclass exist.
 */
const POINTS = new WeakMap<object, AveragedPoints>();

function pointsOf(optimizer: object): AveragedPoints {
  let points = POINTS.get(optimizer);
  if (!points) POINTS.set(optimizer, (points = new AveragedPoints()));
  return points;
}

/**
 * Schedule-Free AdamW: gradients are taken at a point y between the iterate z and its average x,
 * and x is the result:
 *
 *     z ← z - lr·(g/(√v̂ + ε) + λ·y);  x ← (1-c)·x + c·z, c = lr²/Σlr²;  y = (1-β1)·z + β1·x
 *
 * There is no switch between training and evaluation that could be forgotten:
 *
 * - `params` is y, as gradients need it; `model.computeGradients` reads it.
 * - `evaluationParams` is x = y + (1-β1)/β1·(y - z), computed when first read after a step.
 *   `model.evaluate`, `model.predict` and `evaluate` read it by themselves. Before the first step x
 *   is y.
 * - `stateDict().params` holds x; the state array `y` holds y, from which training resumes bit for
 *   bit.
 * - `dispose` leaves x in the parameters of a model.
 *
 * c follows the paper. The authors' code uses the greatest learning rate so far in place of lr; the
 * two differ only after the learning rate has decreased.
 *
 * You may write parameters before their first step. After it, load a state dict instead, because z
 * and y must match. Takes 20 bytes per parameter: y, g, z, v, x.
 *
 * Source: Defazio et al. 2024, "The Road Less Scheduled", arXiv 2405.15682.
 *
 * @example
 * const runtime = await createRuntime();
 * const optimizer = new ScheduleFreeAdamW(runtime, { w: new Float32Array(10) }, { lr: 1e-3 });
 * optimizer.grads.w.set(optimizer.params.w.map((y) => y - 1));
 * optimizer.step();
 * console.log(optimizer.evaluationParams.w);
 */
export class ScheduleFreeAdamW<Names extends string = string> extends Optimizer<
  ScheduleFreeHyperparameters,
  Names,
  ScheduleFreeAdamWOptions
> {
  /** @internal */
  static override readonly declaration = scheduleFree;

  /**
   * Live views of x, by name, for reading only. A view is valid until the next step, or until
   * something allocates: read it from here each time.
   */
  override get evaluationParams(): TensorViews<Names> {
    return pointsOf(this).views as TensorViews<Names>;
  }

  /** Returns the state as every optimizer does; `params` holds x, and every state an array `y`. */
  override stateDict(): StateDict {
    const dict = super.stateDict();
    for (const registered of this.registered) {
      const parameter = dict.params[registered.name];
      dict.state[registered.name].arrays[TRAINING_POINT] = parameter.data;
      parameter.data = this.#averaged(registered).data.slice();
    }
    return dict;
  }

  /** Loads a state as every optimizer does: y and z, from which x follows. */
  override loadStateDict(dict: StateDict, options: LoadOptions = {}): void {
    super.loadStateDict(dict, options);
    pointsOf(this).computedAt.clear();
  }

  /** @internal */
  protected override adaptDict(dict: StateDict): StateDict {
    return atTrainingPoint(dict, this.registered);
  }

  /** @internal */
  protected override attach(registered: RegisteredParameter): void {
    const point = () => this.#averaged(registered);
    registered.parameter.evaluateAt(point, this, true);
    const view = {
      get data() {
        return point().data;
      },
    };
    defineView(pointsOf(this).views, registered.name, view, () => this.check());
  }

  /** @internal */
  protected override detach(registered: RegisteredParameter): void {
    const { parameter, owned } = registered;
    parameter.evaluateAt(null, this);
    if (!owned && !parameter.disposed) parameter.value.data.set(this.#averaged(registered).data);
  }

  /** Returns x, computed anew if there was a step since. */
  #averaged(registered: RegisteredParameter): Tensor {
    const { value } = registered.parameter;
    const [z, , x] = registered.states as readonly Tensor[]; // without compact state
    if (this.stepsOf(registered) === 0) return value;
    const { computedAt } = pointsOf(this);
    if (computedAt.get(registered) !== this.stepCount) {
      const [beta1] = this.paramGroups[registered.group].betas;
      const towards = (beta1 - 1) / beta1;
      const { kernels } = this.runtime;
      kernels.combine(x.address, value.address, z.address, value.length, 1, towards);
      computedAt.set(registered, this.stepCount);
    }
    return x;
  }
}

/**
 * Returns the dict in the form of all optimizers: y as the parameters. What is missing is left to
 * the checks that all have.
 */
function atTrainingPoint(dict: StateDict, registered: readonly RegisteredParameter[]): StateDict {
  if (typeof dict !== 'object' || dict === null) return dict;
  const params: StateDict['params'] = Object.assign(createRecord(), dict.params);
  const state: StateDict['state'] = Object.assign(createRecord(), dict.state);
  for (const { name, parameter } of registered) {
    if (!params[name] || !state[name]?.arrays) continue;
    const { data } = parameter.value;
    const { [TRAINING_POINT]: y, ...arrays } = state[name].arrays;
    checkStateArray(`stateDict.params.${name}.data`, params[name].data, data);
    checkStateArray(`stateDict.state.${name}.arrays.${TRAINING_POINT}`, y, data);
    params[name] = { ...params[name], data: y as Float32Array };
    state[name] = { ...state[name], arrays };
  }
  return { ...dict, params, state };
}
