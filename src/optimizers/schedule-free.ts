/** Schedule-Free AdamW. The rule is in assembly/optimizers/schedule-free.ts. */
import { RULE_SCHEDULE_FREE } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import type { Tensor } from '../tensors/tensor';
import { createRecord, defineView, type TensorViews } from '../tensors/views';
import { checkNumber, copyOptions } from '../validate';
import { ADAM_FIELDS, type AdamHyperparameters } from './adam-family';
import { floatsOf } from './compact-tensor';
import { type CompactStateOptions, type Fields, learningRate, normLimit } from './hyperparameters';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import type { Slot } from './registered-parameter';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import { checkStateArray } from './state-array';
import type { LoadOptions, StateDict } from './state-dict';
import type { StepScalars, StepTable } from './step-table';

/** What a group may set for itself: as AdamW, without coupled L2. β1 is in (0, 1). */
export type ScheduleFreeHyperparameters = Omit<
  AdamHyperparameters,
  'l2' | keyof CompactStateOptions
>;

const { l2: _, state: _state, min8bitSize: _size, ...ADAMW_FIELDS } = ADAM_FIELDS;
const FIELDS: Fields<ScheduleFreeHyperparameters> = { ...ADAMW_FIELDS, lr: learningRate(2.5e-3) };

export interface ScheduleFreeAdamWOptions
  extends CommonOptions,
    Partial<ScheduleFreeHyperparameters> {}

/** The state array in which state dicts have y. */
const TRAINING_POINT = 'y';
const OPTION_NAMES = [...Object.keys(FIELDS), ...COMMON_OPTIONS];

/**
 * Schedule-Free AdamW: gradients are taken at a point y between the iterate z and its average x,
 * and x is what one uses:
 *
 *     z ← z - lr·(g/(√v̂ + ε) + λ·y);  x ← (1-c)·x + c·z, c = lr²/Σlr²;  y = (1-β1)·z + β1·x
 *
 * The switch between the two cannot be forgotten, since there is none:
 *
 * - `params` is y, as gradients need it; `model.computeGradients` reads it.
 * - `evaluationParams` is x = y + (1-β1)/β1·(y - z), computed when first asked for after a step.
 *   `model.evaluate`, `model.predict` and `evaluate` read it by themselves. Before the first step x is y.
 * - `stateDict().params` has x; y is the state array of that name, from which training resumes bit
 *   for bit.
 * - `dispose` leaves x in the parameters of a model.
 *
 * c is the paper's. The authors' code puts the greatest learning rate so far in the place of lr in
 * it: the two agree for rates that do not fall, and differ after a rate has fallen.
 *
 * Parameters may be written before their first step; later z and y would no longer fit each other:
 * load a state dict instead. Takes 20 bytes a parameter: y, g, z, v, x.
 *
 * Source: Defazio et al. 2024, "The Road Less Scheduled", arXiv 2405.15682.
 *
 * @example
 * const optimizer = new ScheduleFreeAdamW(await createRuntime(), { w: new Float32Array(10) }, { lr:
 * 1e-3 }); optimizer.grads.w.set(optimizer.params.w.map((y) => y - 1));
 * optimizer.step();
 * console.log(optimizer.evaluationParams.w);
 */
export class ScheduleFreeAdamW extends Optimizer<ScheduleFreeHyperparameters> {
  readonly #evaluationParams: TensorViews = createRecord<Float32Array>();
  /** By parameter: after how many steps of the optimizer its x was computed. */
  readonly #computedAt = new Map<Slot, number>();

  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<ScheduleFreeHyperparameters>,
    options: ScheduleFreeAdamWOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    const rule = {
      name: 'schedule-free-adamw',
      rule: RULE_SCHEDULE_FREE,
      stateNames: ['z', 'exp_avg_sq'],
      squares: ['exp_avg_sq'],
      scalarRange: [0, Number.MAX_VALUE] as const,
      derivedCount: 1,
      byRows: false,
    };
    super(runtime, { ...rule, fields: FIELDS }, own);
    this.addParams(params);
  }

  /**
   * Live views of x, by name: to read, not to write. Ask again after every step, and after anything
   * that may allocate.
   */
  override get evaluationParams(): TensorViews {
    return this.#evaluationParams;
  }

  /** As for every optimizer; `params` has x, and every `state` the array `y`. */
  override stateDict(): StateDict {
    const dict = super.stateDict();
    for (const slot of this.slots) {
      const parameter = dict.params[slot.name];
      dict.state[slot.name].arrays[TRAINING_POINT] = parameter.data;
      parameter.data = this.#averaged(slot).data.slice();
    }
    return dict;
  }

  /** As for every optimizer. Takes y and z over, and what follows from them: x is not read. */
  override loadStateDict(dict: StateDict, options: LoadOptions = {}): void {
    super.loadStateDict(dict, options);
    this.#computedAt.clear();
  }

  protected override adaptDict(dict: StateDict): StateDict {
    return atTrainingPoint(dict, this.slots);
  }

  /**
   * z begins where the parameter is when its first step comes, so that it may be written until
   * then.
   */
  protected override writeGroup(
    table: StepTable,
    group: number,
    values: Readonly<ScheduleFreeHyperparameters>,
    scalars: StepScalars,
  ): void {
    super.writeGroup(table, group, values, scalars);
    const { slots } = this;
    for (let index = 0; index < slots.length; index++) {
      if (slots[index].group !== group) continue;
      table.readScalars(index, scalars);
      if (scalars.step === 1)
        floatsOf(slots[index].states[0]).set(slots[index].parameter.value.data);
    }
  }

  protected override limitNorm(scalars: StepScalars): void {
    scalars.normLimit = normLimit(scalars.lr, 1);
  }

  protected override prepare(
    scalars: StepScalars,
    values: Readonly<ScheduleFreeHyperparameters>,
  ): void {
    const { lr } = scalars;
    const { constants, beta2Power } = scalars;
    const { betas, eps, weightDecay } = values;
    const sum = scalars.scalar + lr * lr;
    const c = sum > 0 ? (lr * lr) / sum : 0;
    constants[1] = betas[1];
    constants[2] = 1 - betas[1];
    constants[3] = 1 / Math.sqrt(1 - beta2Power);
    constants[4] = eps;
    constants[5] = lr;
    constants[6] = weightDecay;
    constants[7] = c;
    constants[8] = lr * (1 - betas[0] + betas[0] * c);
    scalars.scalar = sum;
  }

  protected override initialise(slot: Slot): void {
    const { parameter, states, name } = slot;
    floatsOf(states[0]).set(parameter.value.data);
    const point = () => this.#averaged(slot);
    parameter.evaluateAt(point, this, true);
    const view = {
      get data() {
        return point().data;
      },
    };
    defineView(this.#evaluationParams, name, view, () => this.check());
  }

  protected override leave(slot: Slot): void {
    const { parameter, owned } = slot;
    parameter.evaluateAt(null, this);
    if (!owned && !parameter.disposed) parameter.value.data.set(this.#averaged(slot).data);
  }

  protected override checkTogether(
    { betas: [beta1] }: ScheduleFreeHyperparameters,
    where: string,
  ): void {
    checkNumber(`betas[0]${where}`, beta1, '(0, 1)', (x) => x > 0);
  }

  /** x, computed anew if there was a step since. */
  #averaged(slot: Slot): Tensor {
    const { value } = slot.parameter;
    const [z, , x] = slot.states as readonly Tensor[]; // this rule has no compact state
    if (this.stepsOf(slot) === 0) return value;
    if (this.#computedAt.get(slot) !== this.stepCount) {
      const [beta1] = this.paramGroups[slot.group].betas;
      this.runtime.kernels.combine(
        x.address,
        value.address,
        z.address,
        value.length,
        1,
        (beta1 - 1) / beta1,
      );
      this.#computedAt.set(slot, this.stepCount);
    }
    return x;
  }
}

/**
 * The dict as all optimizers have it: y as the parameters. What is missing is left to the checks
 * that all have.
 */
function atTrainingPoint(dict: StateDict, slots: readonly Slot[]): StateDict {
  if (typeof dict !== 'object' || dict === null) return dict;
  const params: StateDict['params'] = Object.assign(createRecord(), dict.params);
  const state: StateDict['state'] = Object.assign(createRecord(), dict.state);
  for (const { name, parameter } of slots) {
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
