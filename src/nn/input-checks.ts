/** The checks of a batch's inputs, where a layer gives a meaning to some values only. */
import { fail } from '../validate';
import type { InputValues } from './layers/layer';
import type { InputPlan, NetworkPlan } from './network-plan';

/** What the values of an input of the model must be. */
export interface InputCheck {
  readonly input: InputPlan;
  readonly values: InputValues;
}

/** Returns the checks of the inputs that layers read directly. */
export function inputChecksOf({ inputs, stages }: NetworkPlan): InputCheck[] {
  return stages.flatMap(({ layer, inputs: read }) =>
    read.flatMap((offset, slot) => {
      const values = layer.inputValues?.[slot];
      const input = inputs.find((each) => each.values === offset);
      return values && input ? [{ input, values }] : [];
    }),
  );
}

/**
 * Checks the values of one input.
 * @throws ArgumentError naming the first value that has no meaning
 */
export function checkInput({ input, values }: InputCheck, batch: Float32Array): void {
  const wrong = batch.findIndex((value) => !values.accepts(value));
  if (wrong >= 0) fail(`inputs.${input.name}[${wrong}]`, values.expected, batch[wrong]);
}
