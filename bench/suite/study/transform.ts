/**
 * An ablation: scales each tensor's gradient by a power of a norm before the optimizer sees it. The
 * scale is divided by that of the first step, a constant that Adam without ε does not see, so that
 * squares stay in the range of float32.
 */
import type { GradientTransform, Problem, StudyOptimizer } from '../types';
import type { BeforeStep } from './train';

function normOf(gradient: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += Math.abs(gradient[i]);
  return sum;
}

function power(norm: number, exponent: GradientTransform['power']): number {
  if (exponent === 0 || norm === 0) return 1;
  const root = exponent === 0.5 || exponent === -0.5 ? Math.sqrt(norm) : norm;
  return exponent < 0 ? 1 / root : root;
}

export function createTransform(
  problem: Problem,
  optimizer: StudyOptimizer,
  { power: exponent, norm }: GradientTransform,
): BeforeStep {
  const names = Object.keys(optimizer.params);
  const first = new Map<string, number>();
  return (step) => {
    const norms = new Map<string, number>();
    if (norm === 'other-batch') {
      problem.computeGradients(optimizer, step, true);
      for (const name of names) norms.set(name, normOf(optimizer.grads[name]));
      problem.computeGradients(optimizer, step);
    }
    for (const name of names) {
      const gradient = optimizer.grads[name];
      const factor = power(norms.get(name) ?? normOf(gradient), exponent);
      if (!first.has(name)) first.set(name, factor);
      const scale = factor / first.get(name)!;
      for (let i = 0; i < gradient.length; i++) gradient[i] *= scale;
    }
  };
}
