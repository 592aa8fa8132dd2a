/** The fixed training run on real digits that several suites measure. */
import { loadDigits, trainTestSplit } from '../../src/data';
import { AdaL, practical } from '../../src/index';
import { createModel, dense, evaluate, fit, relu } from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { sha256 } from './hash';

export interface DigitsRun {
  readonly accuracy: number;
  readonly losses: readonly number[];
  /** SHA-256 over all parameters, in order of registration. */
  readonly hash: string;
}

/** MLP 64-64-10, batch 32, AdaL with the practical preset; 75% train, 25% test. */
export async function trainDigits(
  runtime: Runtime,
  seed: number,
  epochs: number,
): Promise<DigitsRun> {
  const { train, test } = trainTestSplit(loadDigits(), { testFraction: 0.25, seed });
  const batchSize = 32;
  const model = await createModel(runtime, {
    inputSize: 64,
    layers: [dense(64), relu(), dense(10)],
    batchSize,
    seed,
  });
  const totalSteps = epochs * Math.ceil(train.count / batchSize);
  const optimizer = new AdaL(runtime, model.parameters, practical({ totalSteps }));
  const result = await fit(model, train, { optimizer, epochs, seed });
  const { accuracy } = evaluate(model, test);
  const hash = sha256(Object.values(model.parameters).map(({ value }) => value.data));
  return { accuracy: accuracy!, losses: result.epochs.map(({ loss }) => loss), hash };
}
