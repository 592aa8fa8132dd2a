/** Trains a network on real digits for 300 steps. */
import { loadDigits, trainTestSplit } from '../../../src/data';
import { AdaL, practical, type Runtime, type StateDict } from '../../../src/index';
import { createModel, dense, evaluate, fit, relu } from '../../../src/nn';
import { check } from './checks';
import { bytesOf } from './state';

const STEPS = 300;

/** Returns the bytes of all parameters and state for the fingerprint. */
export async function trainDigits(runtime: Runtime): Promise<Uint8Array> {
  const { train, test } = trainTestSplit(loadDigits(), { testFraction: 0.25, seed: 1 });
  const model = await createModel(runtime, {
    inputSize: 64,
    layers: [dense(64), relu(), dense(10)],
    batchSize: 32,
    seed: 1,
  });
  const optimizer = new AdaL(runtime, model.parameters, practical({ totalSteps: STEPS }));
  const end = new AbortController();
  const counted = {
    paramGroups: optimizer.paramGroups,
    stateDict: () => optimizer.stateDict(),
    loadStateDict: (state: StateDict) => optimizer.loadStateDict(state),
    step() {
      const result = optimizer.step();
      if (result.step === STEPS) end.abort();
      return result;
    },
  };
  const { steps } = await fit(model, train, {
    optimizer: counted,
    epochs: 100,
    seed: 1,
    signal: end.signal,
  });
  const { accuracy } = evaluate(model, test);
  check(steps === STEPS, `${STEPS} steps, got ${steps}`);
  check(accuracy! > 0.93, `a test accuracy above 0.93, got ${accuracy}`);
  return bytesOf(optimizer);
}
