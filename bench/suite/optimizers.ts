/**
 * The optimizers that are compared. To add one, add an entry.
 *
 * `lr` is the rate of track T0: the default of the rule's own source, or of PyTorch; for AdaL,
 * whose source gives none, our default. The rate is constant, unless a schedule is part of the
 * rule. Only AdamW decays weights, by its default, because decay is a regulariser and no part of a
 * rule.
 */
import type { OptimizerName } from 'adal-wasm';
import type { GradientTransform, OptimizerConfig, ScheduleId } from './types';

const ALL: readonly ScheduleId[] = ['constant', 'cosine', 'inverse-sqrt'];
const MOMENTS = 8;

type Settings<Name extends OptimizerName> = Partial<OptimizerConfig<Name>> &
  Pick<OptimizerConfig<Name>, 'label' | 'lr'>;

function configure<Name extends OptimizerName>(
  id: string,
  name: Name,
  settings: Settings<Name>,
): OptimizerConfig<Name> {
  const options = {} as OptimizerConfig<Name>['options'];
  return {
    id,
    name,
    options,
    schedule: 'constant',
    schedules: ALL,
    stateBytesPerParameter: MOMENTS,
    ...settings,
  };
}

/** Adam without ε on ĝ = ‖g‖₁^p·g: p = 0 is Adam, p = 1 has AdaL's transformation. */
function ablate(id: string, label: string, transform: GradientTransform): OptimizerConfig {
  const options = { betas: [0.9, 0.999], eps: 0 } as const;
  return configure(id, 'adam', {
    label,
    lr: 1e-3,
    options,
    transform,
    ablation: 'power',
    schedules: ['constant'],
  });
}

export const LIBRARY_OPTIMIZERS: readonly OptimizerConfig[] = [
  configure('adal', 'adal', {
    label: 'AdaL',
    lr: 1e-2,
    options: { betas: [0.9, 0.999], eps: 1e-8, decay: 'none' },
    schedule: 'inverse-sqrt',
    note: 'Under 1/√t this is the rule as restated; under the others, the rule without its decay.',
  }),
  configure('adal-practical', 'adal', {
    label: 'AdaL, practical preset',
    lr: 1e-2,
    options: { betas: [0.9, 0.95], eps: 0, decay: 'none' },
    schedule: 'cosine',
    note: 'The preset is this under a cosine; what it changes, Adam has too (adam-b95).',
  }),
  configure('adal-global', 'adal', {
    label: 'AdaL, global norm',
    lr: 1e-2,
    options: { betas: [0.9, 0.999], eps: 1e-8, decay: 'none', normScope: 'global' },
    schedule: 'inverse-sqrt',
  }),
  configure('sgd', 'sgd', { label: 'SGD', lr: 1e-2, stateBytesPerParameter: 0 }),
  configure('sgd-momentum', 'sgd', {
    label: 'SGD, momentum 0.9',
    lr: 1e-2,
    options: { momentum: 0.9 },
    stateBytesPerParameter: 4,
  }),
  configure('nesterov', 'sgd', {
    label: 'SGD, Nesterov 0.9',
    lr: 1e-2,
    options: { momentum: 0.9, nesterov: true },
    stateBytesPerParameter: 4,
  }),
  configure('adam', 'adam', {
    label: 'Adam',
    lr: 1e-3,
    options: { betas: [0.9, 0.999], eps: 1e-8 },
  }),
  configure('adam-b95', 'adam', {
    label: 'Adam, β₂ = 0.95',
    lr: 1e-3,
    options: { betas: [0.9, 0.95], eps: 1e-8 },
  }),
  configure('adamw', 'adamw', {
    label: 'AdamW, λ = 0.01',
    lr: 1e-3,
    options: { weightDecay: 0.01 },
  }),
  configure('amsgrad', 'amsgrad', { label: 'AMSGrad', lr: 1e-3, stateBytesPerParameter: 12 }),
  configure('nadam', 'nadam', { label: 'NAdam', lr: 2e-3 }),
  configure('radam', 'radam', { label: 'RAdam', lr: 1e-3 }),
  configure('adagrad', 'adagrad', { label: 'Adagrad', lr: 1e-2, stateBytesPerParameter: 4 }),
  configure('rmsprop', 'rmsprop', { label: 'RMSProp', lr: 1e-2, stateBytesPerParameter: 4 }),
  configure('adadelta', 'adadelta', { label: 'Adadelta', lr: 1 }),
  configure('adamax', 'adamax', { label: 'AdaMax', lr: 2e-3 }),
  configure('adabelief', 'adabelief', { label: 'AdaBelief', lr: 1e-3 }),
  configure('adabound', 'adabound', { label: 'AdaBound', lr: 1e-3 }),
  configure('lion', 'lion', { label: 'Lion', lr: 1e-4, stateBytesPerParameter: 4 }),
  configure('muon', 'muon', {
    label: 'Muon',
    lr: 2e-2,
    note: 'The rate is that of matrices; vectors have AdamW at 3e-4.',
  }),
  configure('schedule-free-adamw', 'schedule-free-adamw', {
    label: 'Schedule-Free AdamW',
    lr: 2.5e-3,
    stateBytesPerParameter: 12,
    schedules: ['constant'],
    note: 'Its averaging stands for a schedule.',
  }),
  ablate('power--1', 'Adam on ‖g‖₁⁻¹·g', { power: -1, norm: 'own' }),
  ablate('power--0.5', 'Adam on ‖g‖₁^-½·g', { power: -0.5, norm: 'own' }),
  ablate('power-0', 'Adam on g', { power: 0, norm: 'own' }),
  ablate('power-0.5', 'Adam on ‖g‖₁^½·g', { power: 0.5, norm: 'own' }),
  ablate('power-1', 'Adam on ‖g‖₁·g', { power: 1, norm: 'own' }),
  ablate('power-1-other', "Adam on another batch's ‖g‖₁·g", { power: 1, norm: 'other-batch' }),
];

/** Those that larger workloads are left with in the smaller tiers. */
export const HEADLINE = [
  'adal',
  'adal-practical',
  'adal-global',
  'sgd-momentum',
  'adam',
  'adam-b95',
  'adamw',
  'lion',
];
