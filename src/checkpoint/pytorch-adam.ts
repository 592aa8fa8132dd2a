/**
 * The state of Adam, AdamW and AMSGrad as PyTorch names it, in a safetensors file: to go on here
 * with what was trained there, and the other way round.
 *
 *     w                  the parameter, F32
 *     w.exp_avg          m, F32, of w's shape
 *     w.exp_avg_sq       v, F32, of w's shape
 *     w.max_exp_avg_sq   AMSGrad alone: the largest v so far, F32, of w's shape
 *     w.step             its steps: one number, F32 (as PyTorch has it), F64 or I64
 *
 * In Python, this saves such a file:
 *
 *     tensors = {n: p.detach() for n, p in model.named_parameters()}
 *     tensors |= {f"{n}.{k}": torch.as_tensor(v) for n, p in model.named_parameters() for k, v in optimizer.state[p].items()}
 *     safetensors.torch.save_file({n: t.contiguous() for n, t in tensors.items()}, "adam.safetensors")
 *
 * and this loads one into a model and its optimizer (with AMSGrad, "max_exp_avg_sq" is a further
 * key):
 *
 *     tensors = safetensors.torch.load_file("adam.safetensors")
 *     model.load_state_dict({n: tensors[n] for n, p in model.named_parameters()}, strict=False)
 *     for n, p in model.named_parameters(): optimizer.state[p] = {k: tensors[f"{n}.{k}"] for k in ("step", "exp_avg", "exp_avg_sq")}
 *
 * Layouts differ where there are images, which PyTorch keeps channels first and this library
 * channels last (pytorch-layout.ts): kernels of convolutions, and the weights of a dense layer
 * after `flatten`. Dense weights are [outputs, inputs] in both, embeddings [rows, width].
 *
 * Invariant: numbers pass through unchanged, to the place that means the same; what PyTorch does
 * not keep, the powers of β, is computed as the steps would have.
 */
import { ArgumentError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { describe, fail, isFloat32Array } from '../validate';
import { quote, refuse, TensorCollector, TensorSupply } from './named-tensors';
import { layoutsOf, type PyTorchLayoutOptions } from './pytorch-layout';
import { decodeSafetensors, encodeSafetensors } from './safetensors';
import { findWrongValue } from './state-values';

/** Algorithms whose state PyTorch has as well, by the same rule. */
const ALGORITHMS = ['adam', 'adamw', 'amsgrad'];
/** Steps up to here are exact in float32. */
const MAX_FLOAT_STEP = 2 ** 24;

type Floats = Record<string, Float32Array>;

/**
 * The state dict of an optimizer that goes on where PyTorch's Adam, AdamW or AMSGrad stopped.
 * Parameters that PyTorch never stepped, and so has no state for, begin theirs.
 *
 * @param bytes a safetensors file as above, with every parameter of the optimizer and nothing else
 * @param stateDict of the optimizer that is to go on: `adam`, `adamw` or `amsgrad`. Its groups and
 * hyperparameters are kept, since the
 *   file has none
 * @param options which parameters PyTorch keeps in another order: needed where there are parameters
 * of
 *   four dimensions, as the kernels of convolutions are
 * @returns for `loadStateDict`. Its step count is the largest of the parameters'
 * @throws CheckpointError whose `reason` tells what is wrong: `'missing'` or `'unexpected'` (a
 * tensor; half a state is missing the
 *   other half), `'dtype'`, `'shape'`, `'step'` (no whole number in [0, 2^31 - 1]), `'state'`
 *   (a number that is not finite, a second moment below 0), and what `decodeSafetensors` throws
 * @throws ArgumentError for another algorithm's state dict, or one with compact state, and for
 * options
 *   that are missing or do not fit
 * @example
 * const optimizer = await createOptimizer('adamw', { 'fc.weight': { shape: [10, 64] } }, { lr: 1e-3
 * }); optimizer.loadStateDict(decodePyTorchAdam(bytes, optimizer.stateDict()));
 * @example
 * // Two convolutions, then flatten of 8 × 8 places of 32 channels, then dense layers:
 * const options = { convolutions: 'all', flattened: { 'dense1.weight': [32, 8, 8] } };
 * optimizer.loadStateDict(decodePyTorchAdam(bytes, optimizer.stateDict(), options));
 * @see https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 */
export function decodePyTorchAdam(
  bytes: Uint8Array,
  stateDict: StateDict,
  options: PyTorchLayoutOptions = {},
): StateDict {
  const names = checkAdam(stateDict);
  const layouts = layoutsOf(stateDict.params, options);
  const supply = new TensorSupply(decodeSafetensors(bytes).tensors);
  const params: StateDict['params'] = Object.create(null);
  const state: StateDict['state'] = Object.create(null);
  for (const name of names) {
    const { shape } = stateDict.params[name];
    const layout = layouts.get(name);
    const takeFloats = (key: string): Float32Array => {
      const tensor = key === '' ? name : `${name}.${key}`;
      const { data } = supply.takeF32(tensor, layout?.theirShape ?? shape);
      const wrong = findWrongValue(key, data);
      if (wrong)
        refuse(
          'state',
          `tensor ${quote(tensor)}`,
          wrong.expected,
          `${wrong.got} at ${wrong.index}`,
        );
      return layout ? layout.toOurs(data) : data;
    };
    params[name] = { shape, data: takeFloats('') };
    const { arrays, ...counters } = stateDict.state[name];
    const keys = Object.keys(arrays);
    const stepped = [...keys, 'step'].some((key) => supply.has(`${name}.${key}`));
    const floats: Floats = Object.create(null);
    for (const key of keys)
      floats[key] = stepped ? takeFloats(key) : new Float32Array(params[name].data.length);
    const step = stepped ? takeStep(supply, `${name}.step`) : 0;
    state[name] = {
      ...counters,
      step,
      ...powersAt(step, betasOf(stateDict, name)),
      arrays: floats,
    };
  }
  supply.end();
  const step = Math.max(...names.map((name) => state[name].step));
  return { ...stateDict, step, params, state };
}

/**
 * A safetensors file from which PyTorch's Adam, AdamW or AMSGrad goes on. It has no
 * hyperparameters.
 *
 * @param stateDict of an `adam`, `adamw` or `amsgrad`
 * @param options as for `decodePyTorchAdam`
 * @throws ArgumentError for another algorithm's state dict, one with compact state, names that
 * collide
 *   in the file, and for options that are missing or do not fit
 * @example
 * writeFileSync('adam.safetensors', encodePyTorchAdam(optimizer.stateDict()));
 */
export function encodePyTorchAdam(
  stateDict: StateDict,
  options: PyTorchLayoutOptions = {},
): Uint8Array<ArrayBuffer> {
  const collector = new TensorCollector();
  const names = checkAdam(stateDict);
  const layouts = layoutsOf(stateDict.params, options);
  const add = (name: string, key: string, path: string, data: Float32Array) => {
    const wrong = findWrongValue(key, data);
    if (wrong) throw new ArgumentError(`${path}[${wrong.index}]`, wrong.expected, wrong.got);
    const layout = layouts.get(name);
    const shape = layout?.theirShape ?? stateDict.params[name].shape;
    const tensor = key === '' ? name : `${name}.${key}`;
    collector.add(tensor, path, { shape, data: layout ? layout.toTheirs(data) : data });
  };
  for (const name of names)
    add(name, '', `stateDict.params.${name}.data`, stateDict.params[name].data);
  for (const name of names) {
    const { arrays, step } = stateDict.state[name];
    const path = `stateDict.state.${name}`;
    for (const [key, data] of Object.entries(arrays as Floats))
      add(name, key, `${path}.arrays.${key}`, data);
    const data =
      step <= MAX_FLOAT_STEP ? new Float32Array([step]) : new BigInt64Array([BigInt(step)]);
    collector.add(`${name}.step`, `${path}.step`, { shape: [], data });
  }
  return encodeSafetensors(collector.entries, { format: 'pt' }, { checksum: true });
}

/** Names of the parameters of a state dict that PyTorch can have. */
function checkAdam(stateDict: StateDict): string[] {
  if (typeof stateDict !== 'object' || stateDict === null)
    fail('stateDict', 'an object', stateDict);
  const { algorithm, params, state } = stateDict;
  for (const [key, value] of Object.entries({ params, state })) {
    if (typeof value !== 'object' || value === null)
      fail(`stateDict.${key}`, 'an object by parameter name', value);
  }
  if (!ALGORITHMS.includes(algorithm))
    fail('stateDict.algorithm', `one of ${ALGORITHMS.join(', ')}`, algorithm);
  const names = Object.keys(params);
  for (const name of names) {
    const arrays = Object.hasOwn(state, name)
      ? state[name].arrays
      : fail(`stateDict.state.${name}`, 'an entry', undefined);
    if (typeof arrays !== 'object' || arrays === null)
      fail(`stateDict.state.${name}.arrays`, 'an object', arrays);
    if (!Array.isArray(params[name]?.shape))
      fail(`stateDict.params.${name}.shape`, 'an array of sizes', params[name]?.shape);
    betasOf(stateDict, name);
    for (const [key, array] of Object.entries(arrays)) {
      if (!isFloat32Array(array)) {
        throw new ArgumentError(
          `stateDict.state.${name}.arrays.${key}`,
          'a Float32Array, as PyTorch has it',
          describe(array),
        );
      }
    }
  }
  return names;
}

function betasOf({ groups }: StateDict, name: string): readonly [number, number] {
  const group = Array.isArray(groups)
    ? groups.find((each) => each?.params?.includes(name))
    : undefined;
  const betas = group?.betas;
  const isBeta = (value: unknown) => typeof value === 'number' && value >= 0 && value < 1;
  if (Array.isArray(betas) && betas.length === 2 && betas.every(isBeta))
    return betas as [number, number];
  return fail('stateDict.groups', `a group with ${describe(name)} and its betas`, groups);
}

/** By repeated product, as accepted steps multiply them. */
function powersAt(
  step: number,
  [beta1, beta2]: readonly [number, number],
): { beta1Power: number; beta2Power: number } {
  return { beta1Power: power(beta1, step), beta2Power: power(beta2, step) };
}

function power(beta: number, step: number): number {
  let product = 1;
  for (let t = 0; t < step; t++) {
    const next = product * beta;
    if (next === product) break; // 0, or so near to it that rounding undoes each factor
    product = next;
  }
  return product;
}

function takeStep(supply: TensorSupply, name: string): number {
  const { dtype, shape, data } = supply.take(name);
  if (dtype !== 'F32' && dtype !== 'F64' && dtype !== 'I64')
    refuse('dtype', `tensor ${quote(name)}`, 'F32, F64 or I64', dtype);
  if (data.length !== 1)
    refuse('shape', `tensor ${quote(name)}`, 'one number', `shape [${shape.join(', ')}]`);
  const step = Number(data[0]);
  if (!(Number.isInteger(step) && step >= 0 && step < 2 ** 31)) {
    refuse('step', `tensor ${quote(name)}`, 'a whole number in [0, 2^31 - 1]', String(data[0]));
  }
  return step;
}
