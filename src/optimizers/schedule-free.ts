/** Schedule-Free AdamW. The rule is in assembly/optimizers/schedule-free.ts. */
import { RULE_SCHEDULE_FREE } from '../abi/layout';
import type { Runtime } from '../runtime/runtime';
import { checkNumber, checkOptions } from '../validate';
import { ADAM_FIELDS, type AdamHyperparameters } from './adam-family';
import { floatsOf } from './compact-tensor';
import { type CompactStateOptions, type Fields, learningRate } from './hyperparameters';
import { COMMON_OPTIONS, type CommonOptions, Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import type { Slot } from './slots';
import type { StepScalars } from './step-table';

/** What a group may set for itself: as AdamW, without coupled L2. β1 is in (0, 1). */
export type ScheduleFreeHyperparameters = Omit<AdamHyperparameters, 'l2' | keyof CompactStateOptions>;

const { l2: _, state: _state, min8bitSize: _size, ...ADAMW_FIELDS } = ADAM_FIELDS;
const FIELDS: Fields<ScheduleFreeHyperparameters> = { ...ADAMW_FIELDS, lr: learningRate(2.5e-3) };

export interface ScheduleFreeAdamWOptions extends CommonOptions, Partial<ScheduleFreeHyperparameters> {}

const OPTION_NAMES = [...Object.keys(FIELDS), ...COMMON_OPTIONS];

/**
 * Schedule-Free AdamW: gradients are taken at a point y between the iterate z and its average x, and x is what one uses:
 *
 *     z ← z - lr·(g/(√v̂ + ε) + λ·y);  x ← (1-c)·x + c·z, c = lr²/Σlr²;  y = (1-β1)·z + β1·x
 *
 * `params` holds y while training.
 *
 * Source: Defazio et al. 2024, "The Road Less Scheduled", arXiv 2405.15682.
 *
 * @example
 * const optimizer = new ScheduleFreeAdamW(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class ScheduleFreeAdamW extends Optimizer<ScheduleFreeHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays allocated then
   */
  constructor(runtime: Runtime, params: ParamsInit<ScheduleFreeHyperparameters>, options: ScheduleFreeAdamWOptions = {}) {
    checkOptions('options', options, OPTION_NAMES);
    super(
      runtime,
      { name: 'schedule-free-adamw', rule: RULE_SCHEDULE_FREE, stateNames: ['z', 'exp_avg_sq'], fields: FIELDS },
      options,
    );
    this.addParams(params);
  }

  protected override prepare(scalars: StepScalars, values: Readonly<ScheduleFreeHyperparameters>): void {
    const { lr } = scalars;
    const { constants, beta2Power } = scalars;
    const {
      betas: [beta1, beta2],
      eps,
      weightDecay,
    } = values;
    const sum = scalars.scalar + lr * lr;
    const c = sum > 0 ? (lr * lr) / sum : 0;
    constants[1] = beta2;
    constants[2] = 1 - beta2;
    constants[3] = 1 / Math.sqrt(1 - beta2Power);
    constants[4] = eps;
    constants[5] = lr;
    constants[6] = weightDecay;
    constants[7] = 1 - beta1;
    constants[8] = 1 - c;
    constants[9] = beta1 * c + (1 - beta1);
    scalars.scalar = sum;
  }

  protected override initialise({ parameter, states: [z] }: Slot): void {
    floatsOf(z).set(parameter.value.data);
  }

  protected override checkTogether({ betas: [beta1] }: ScheduleFreeHyperparameters, where: string): void {
    checkNumber(`betas[0]${where}`, beta1, '(0, 1)', (x) => x > 0);
  }
}
