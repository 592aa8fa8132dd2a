/** Adam in jax-js, compiled by its jit for its wasm device, in the style of its documentation. */
import { defaultDevice, init, type Array as JaxArray, jit, numpy as np } from '@jax-js/jax';
import type { Hyperparameters, PeerAdam, PeerTensor } from '../suite/micro/contenders';

export const implementations = ['jax-js wasm'];

function update(
  [theta, m, v, g, stepSize, correction]: readonly JaxArray[],
  { betas: [beta1, beta2], eps }: Hyperparameters,
): JaxArray[] {
  const nextM = m.mul(beta1).add(g.ref.mul(1 - beta1));
  const nextV = v.mul(beta2).add(g.ref.mul(g).mul(1 - beta2));
  const denominator = np.sqrt(nextV.ref.mul(correction)).add(eps);
  return [theta.sub(nextM.ref.div(denominator).mul(stepSize)), nextM, nextV];
}

export async function createAdam(
  _: string,
  tensors: readonly PeerTensor[],
  hyperparameters: Hyperparameters,
): Promise<PeerAdam> {
  const { lr, betas } = hyperparameters;
  await init('wasm');
  defaultDevice('wasm');
  const compiled = jit((...args: JaxArray[]) => update(args, hyperparameters));
  const states = tensors.map(({ theta, gradient }) => ({
    theta: np.array(theta.slice()),
    m: np.zeros([theta.length]),
    v: np.zeros([theta.length]),
    gradient: np.array(gradient.slice()),
  }));
  let [power1, power2] = [1, 1];
  type State = (typeof states)[number];
  const step = (gradientOf: (state: State, index: number) => JaxArray) => {
    power1 *= betas[0];
    power2 *= betas[1];
    const [stepSize, correction] = [lr / (1 - power1), 1 / (1 - power2)];
    for (const [index, state] of states.entries()) {
      const scalars = [np.array(stepSize), np.array(correction)];
      [state.theta, state.m, state.v] = compiled(
        state.theta,
        state.m,
        state.v,
        gradientOf(state, index),
        ...scalars,
      );
    }
  };
  const read = () => states.map(({ theta }) => theta.ref.dataSync());
  const settle = () => {
    for (const { theta } of states) theta.ref.dataSync();
  };
  return {
    // Its arrays are lazy: a step is over when the weights are there.
    step() {
      step((state) => state.gradient.ref);
      settle();
    },
    stepWithCopies(gradients) {
      step((_state, index) => np.array(gradients[index]));
      return read();
    },
    params: read,
    dispose() {
      for (const state of states) for (const array of Object.values(state)) array.dispose();
    },
  };
}
