/**
 * Muon. Its kernels are in assembly/optimizers/muon.ts and orthogonalize.ts, and AdamW's beside
 * them.
 */
import { AdamKernel, AdamZeroEpsKernel, MuonKernel } from '../../build/optimizer-kernels';
import type { LearningRate } from '../types';
import { checkBoolean, checkChoice } from '../validate';
import { ADAM_STATE, limitMoments, writeAdam } from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import {
  averagingFactors,
  type Betas,
  epsilon,
  type Fields,
  fraction,
  learningRate,
  nonNegative,
} from './hyperparameters';
import { MATRIX_LAYOUT, splitMatrices } from './matrices';
import { Optimizer } from './optimizer';
import { POWERS } from './powers';

/** Hyperparameters of `Muon`. */
export interface MuonHyperparameters {
  /**
   * Learning rate: a number in [0, 2^64), or a function of the step (1-based). 0.02 suits matrices
   * under `adjustLr: 'original'`; a group with `useMuon: false` needs one of its own, such as 3e-4.
   * @default 2e-2
   */
  lr: LearningRate;
  /**
   * Whether the group's matrices are updated by Muon, or all of its parameters by AdamW: for
   * embeddings and the last layer. A group keeps the value that it was created with.
   * @default true
   */
  readonly useMuon: boolean;
  /** β, the averaging factor of Muon's momentum, in [0, 1 - 2^-25). @default 0.95 */
  momentum: number;
  /** β1 and β2 of AdamW, each in [0, 1 - 2^-25). @default [0.9, 0.95] */
  readonly betas: Betas;
  /**
   * ε of AdamW, added to √v̂: 0 or a number in [2^-126, 2^64). Muon adds 1e-7 to the norm of a
   * matrix.
   * @default 1e-10
   */
  eps: number;
  /**
   * Decoupled weight decay λ: θ ← θ·(1 - lr·λ) before the update. A number in [0, 2^64).
   * @default 0
   */
  weightDecay: number;
  /** Coupled L2: l2·θ is added to the gradient. A number in [0, 2^64). @default 0 */
  l2: number;
}

/** Options of `Muon`: its hyperparameters, its own, and what every optimizer takes. */
export interface MuonOptions extends CommonOptions, Partial<MuonHyperparameters> {
  /** Whether the direction is Nesterov's, (1-β)·g + β·m, or m. @default true */
  nesterov?: boolean;
  /**
   * What multiplies the learning rate of a matrix: √max(1, rows/columns), as in the author's code,
   * or 0.2·√max(rows, columns), with which steps are as large as AdamW's, so that its learning rate
   * and weight decay fit.
   * @default 'original'
   */
  adjustLr?: 'original' | 'match-rms-adamw';
  /**
   * Learning rate of vectors, scalars and sparse parameters in groups of matrices, which AdamW
   * updates: a number in [0, 2^64), or a function of the step (1-based).
   * @default 3e-4
   */
  adamLr?: LearningRate;
}

const K = MuonKernel.constants;
const FIELDS: Fields<MuonHyperparameters> = {
  lr: learningRate(2e-2),
  useMuon: {
    default: true,
    fixed: true,
    laysOut: true,
    check: (argument: string, value: unknown, where: string) =>
      checkBoolean(argument + where, value),
  },
  momentum: fraction(0.95),
  betas: averagingFactors([0.9, 0.95]),
  eps: epsilon(1e-10),
  weightDecay: nonNegative(0),
  l2: nonNegative(0),
};

const muon: OptimizerDeclaration<MuonHyperparameters, MuonOptions> = {
  name: 'muon',
  fields: FIELDS,
  options: ['nesterov', 'adjustLr', 'adamLr'],
  algorithm(options): Algorithm<MuonHyperparameters> {
    const nesterov = checkBoolean('nesterov', options.nesterov ?? true);
    const adamLr = FIELDS.lr.check('adamLr', options.adamLr ?? 3e-4, '');
    const choices = ['original', 'match-rms-adamw'] as const;
    const adjustLr = checkChoice('adjustLr', options.adjustLr ?? 'original', choices);
    return {
      ...ADAM_STATE,
      kernels: [MuonKernel, AdamKernel, AdamZeroEpsKernel],
      scalars: POWERS,
      options: { nesterov, adjustLr },
      stateNamesOf: ({ useMuon }) => (useMuon ? ['momentum_buffer'] : ADAM_STATE.stateNames),
      splitGroup(values, entries) {
        if (!values.useMuon) return [{ values, entries }];
        return splitMatrices(values, { ...values, useMuon: false, lr: adamLr }, entries);
      },
      isMatrixGroup: ({ useMuon }) => useMuon,
      matrices: MATRIX_LAYOUT,
      kernelOf({ useMuon, eps }) {
        if (useMuon) return MuonKernel;
        return eps === 0 ? AdamZeroEpsKernel : AdamKernel;
      },
      writeMomentum(scalars, { useMuon, momentum, betas }) {
        scalars.momentum = useMuon ? momentum : betas[0];
      },
      limit(scalars, values) {
        // The momentum is a mean of gradients, and the size of a step does not depend on theirs.
        if (values.useMuon) scalars.normLimit = 2 ** 127;
        else limitMoments(scalars, values);
      },
      prepare(scalars, values) {
        if (!values.useMuon) {
          writeAdam(AdamKernel.constants, scalars, values);
          return;
        }
        const { constants, lr, momentum, rows, columns } = scalars;
        const scale =
          adjustLr === 'original'
            ? Math.sqrt(Math.max(1, rows / columns))
            : 0.2 * Math.sqrt(Math.max(rows, columns));
        constants[K.l2] = values.l2;
        constants[K.beta] = momentum;
        constants[K.c] = 1 - momentum;
        constants[K.a] = nesterov ? 1 - momentum : 0;
        constants[K.b] = nesterov ? momentum : 1;
        constants[K.delta] = 1 - lr * values.weightDecay;
        constants[K.rate] = lr * scale;
      },
    };
  },
};

/**
 * Muon: the momentum of a matrix is made nearly orthogonal by five Newton–Schulz iterations, so
 * that all of its directions move alike:
 *
 *     m ← β·m + (1-β)·g;  u = (1-β)·g + β·m;  X = u/(‖u‖ + 1e-7)
 *     five times: A = X·Xᵀ;  X ← 3.4445·X + (-4.775·A + 2.0315·A·A)·X
 *     θ ← θ·(1 - lr·λ) - lr·√max(1, rows/columns)·X
 *
 * A parameter with two axes or more is a matrix: the first axis is its rows, the others together
 * its columns, so that the row of a convolution is all that one output reads, as in the author's
 * code. AdamW updates what has fewer axes, and sparse parameters, with the learning rate `adamLr`:
 * they become a group of their own with `useMuon: false`, which follows the group that they were
 * in. Put embeddings and the last layer into a group with `useMuon: false` and a rate too, as the
 * author recommends.
 *
 * The momentum and the direction are float32, 8 bytes an element, whatever the group: there is no
 * option `state`, since the iterations read the direction from where compact state would be coded.
 *
 * The iterations are in float32 (the author's are in bfloat16). A step of an n×n matrix takes about
 * 30·n³ operations.
 *
 * Sources: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks",
 * kellerjordan.github.io/posts/muon; Liu et al. 2025, "Muon is Scalable for LLM Training", arXiv
 * 2502.16982 ('match-rms-adamw').
 *
 * @example
 * const params = { hidden: { shape: [64, 64] }, bias: { shape: [64] }, head: { shape: [10, 64] } };
 * const optimizer = new Muon(await createRuntime(), params, {
 *   lr: 0.02,
 *   groups: [{ match: /head/, useMuon: false, lr: 3e-4 }],
 * });
 */
export class Muon<Names extends string = string> extends Optimizer<
  MuonHyperparameters,
  Names,
  MuonOptions
> {
  /** @internal */
  static override readonly declaration = muon;
}
