/**
 * Exchange of the state of Adam, AdamW and AMSGrad with PyTorch, in safetensors files that use
 * PyTorch's names.
 *
 *     w                  the parameter, F32
 *     w.exp_avg          m, F32, same shape as w
 *     w.exp_avg_sq       v, F32, same shape as w
 *     w.max_exp_avg_sq   only AMSGrad: the largest v so far, F32, same shape as w
 *     w.step             number of steps, one element: F32 (PyTorch's own type), F64 or I64
 *
 * In Python, this saves such a file:
 *
 *     tensors = {n: p.detach() for n, p in model.named_parameters()}
 *     for n, p in model.named_parameters():
 *         for k, v in optimizer.state[p].items(): tensors[f"{n}.{k}"] = torch.as_tensor(v)
 *     tensors = {n: t.contiguous() for n, t in tensors.items()}
 *     safetensors.torch.save_file(tensors, "adam.safetensors")
 *
 * and this loads one into a model and its optimizer (add "max_exp_avg_sq" to the keys for AMSGrad):
 *
 *     tensors = safetensors.torch.load_file("adam.safetensors")
 *     model.load_state_dict({n: tensors[n] for n, p in model.named_parameters()}, strict=False)
 *     keys = ("step", "exp_avg", "exp_avg_sq")
 *     for n, p in model.named_parameters():
 *         optimizer.state[p] = {k: tensors[f"{n}.{k}"] for k in keys}
 *
 * Layouts differ for images, which PyTorch keeps channels first and this library channels last
 * (pytorch-layout.ts). This concerns the kernels of convolutions, and the weights of a dense layer
 * after `flatten`. In both libraries dense weights are [outputs, inputs] and embeddings are
 * [rows, width].
 *
 * Invariant: every number is copied unchanged to the element with the same meaning. PyTorch does
 * not store the powers of β; they are computed by the same products as in training.
 */
import { ArgumentError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { describe, fail, isFloat32Array } from '../validate';
import { quote, refuse, TensorCollector, TensorSupply } from './named-tensors';
import { layoutsOf, type PyTorchLayoutOptions } from './pytorch-layout';
import { decodeSafetensors, encodeSafetensors } from './safetensors';
import { findWrongValue } from './state-values';

/** Optimizers that PyTorch has too, with the same update rule. */
const ALGORITHMS = ['adam', 'adamw', 'amsgrad'];
/** The largest step count up to which float32 is exact. */
const MAX_FLOAT_STEP = 2 ** 24;

type Floats = Record<string, Float32Array>;

/**
 * Decodes the state of PyTorch's Adam, AdamW or AMSGrad into a state dict, with which an optimizer
 * continues where PyTorch stopped. A parameter that PyTorch never stepped has no state in the file;
 * its state starts at zero.
 *
 * @param bytes a safetensors file as above, with every parameter of the optimizer and nothing else
 * @param stateDict state dict of the optimizer that is to continue: `adam`, `adamw` or `amsgrad`.
 *   Its groups and hyperparameters are kept, since the file has none
 * @param options which parameters PyTorch keeps in another order; required if a parameter has four
 *   dimensions, as the kernels of convolutions have
 * @returns a state dict for `loadStateDict`; its step count is the largest of the parameters'
 *   counts
 * @throws CheckpointError with one of these reasons:
 *   - `'missing'`, `'unexpected'`: a tensor is missing (such as one of two moments) or belongs to
 *     nothing
 *   - `'dtype'`, `'shape'`: a tensor has the wrong element type or shape
 *   - `'step'`: a step count is not an integer in [0, 2^31 - 1]
 *   - `'state'`: a number is not finite, or a second moment is below 0
 *   - any reason of `decodeSafetensors`
 * @throws ArgumentError for the state dict of another optimizer or with compact state, and for
 *   options that are missing or do not fit
 * @example
 * const params = { 'fc.weight': { shape: [10, 64] } };
 * const optimizer = await createOptimizer('adamw', params, { lr: 1e-3 });
 * optimizer.loadStateDict(decodePyTorchAdam(bytes, optimizer.stateDict()));
 * @example
 * // Two convolutions, then flatten of 8 × 8 positions with 32 channels, then dense layers:
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
 * Encodes a state dict as a safetensors file with which PyTorch's Adam, AdamW or AMSGrad continues.
 * The file holds no hyperparameters.
 *
 * @param stateDict state dict of an `adam`, `adamw` or `amsgrad` optimizer
 * @param options as for `decodePyTorchAdam`
 * @throws ArgumentError for the state dict of another optimizer or with compact state, for names
 *   that collide in the file, and for options that are missing or do not fit
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

/** Checks that PyTorch has the optimizer of a state dict; returns the parameter names. */
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
          'a Float32Array, the only format PyTorch has',
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

/** Computes the powers by repeated products, as training does. */
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
    if (next === product) break; // 0, or too small for a further factor to change it
    product = next;
  }
  return product;
}

function takeStep(supply: TensorSupply, name: string): number {
  const { dtype, shape, data } = supply.take(name);
  if (dtype !== 'F32' && dtype !== 'F64' && dtype !== 'I64')
    refuse('dtype', `tensor ${quote(name)}`, 'F32, F64 or I64', dtype);
  if (data.length !== 1)
    refuse('shape', `tensor ${quote(name)}`, 'one element', `shape [${shape.join(', ')}]`);
  const step = Number(data[0]);
  if (!(Number.isInteger(step) && step >= 0 && step < 2 ** 31)) {
    refuse('step', `tensor ${quote(name)}`, 'an integer in [0, 2^31 - 1]', String(data[0]));
  }
  return step;
}
