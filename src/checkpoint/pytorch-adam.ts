/**
 * The state of Adam, AdamW and AMSGrad as PyTorch names it, in a safetensors file: to go on here with what was trained there, and
 * the other way round.
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
 * and this loads one into a model and its optimizer (with AMSGrad, "max_exp_avg_sq" is a further key):
 *
 *     tensors = safetensors.torch.load_file("adam.safetensors")
 *     model.load_state_dict({n: tensors[n] for n, p in model.named_parameters()}, strict=False)
 *     for n, p in model.named_parameters(): optimizer.state[p] = {k: tensors[f"{n}.{k}"] for k in ("step", "exp_avg", "exp_avg_sq")}
 *
 * Invariant: numbers pass through unchanged; what PyTorch does not keep, the powers of β, is computed as the steps would have.
 */
import { ArgumentError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { describe, fail, isFloat32Array } from '../validate';
import { decodeSafetensors, encodeSafetensors } from './safetensors';
import { quote, refuse, TensorCollector, TensorSupply } from './tensor-names';

/** Algorithms whose state PyTorch has as well, by the same rule. */
const ALGORITHMS = ['adam', 'adamw', 'amsgrad'];
/** Steps up to here are exact in float32. */
const MAX_FLOAT_STEP = 2 ** 24;

type Floats = Record<string, Float32Array>;

/**
 * The state dict of an optimizer that goes on where PyTorch's Adam, AdamW or AMSGrad stopped. Parameters that PyTorch never stepped,
 * and so has no state for, begin theirs.
 *
 * @param bytes a safetensors file as above, with every parameter of the optimizer and nothing else
 * @param stateDict of the optimizer that is to go on: `adam`, `adamw` or `amsgrad`. Its groups and hyperparameters are kept, since the
 *   file has none
 * @returns for `loadStateDict`. Its step count is the largest of the parameters'
 * @throws CheckpointError whose `reason` tells what is wrong: `'missing'` or `'unexpected'` (a tensor; half a state is missing the
 *   other half), `'dtype'`, `'shape'`, `'step'` (no whole number in [0, 2^31 - 1]), and what `decodeSafetensors` throws
 * @throws ArgumentError for another algorithm's state dict, or one with compact state
 * @example
 * const optimizer = await createOptimizer('adamw', { 'fc.weight': { shape: [10, 64] } }, { lr: 1e-3 });
 * optimizer.loadStateDict(decodePyTorchAdam(bytes, optimizer.stateDict()));
 * @see https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 */
export function decodePyTorchAdam(bytes: Uint8Array, stateDict: StateDict): StateDict {
  const names = checkAdam(stateDict);
  const supply = new TensorSupply(decodeSafetensors(bytes).tensors);
  const params: StateDict['params'] = Object.create(null);
  const state: StateDict['state'] = Object.create(null);
  for (const name of names) {
    const { shape } = stateDict.params[name];
    params[name] = { shape, data: supply.takeF32(name, shape).data };
    const { arrays, ...counters } = stateDict.state[name];
    const keys = Object.keys(arrays);
    const stepped = [...keys, 'step'].some((key) => supply.has(`${name}.${key}`));
    const floats: Floats = Object.create(null);
    for (const key of keys) {
      floats[key] = stepped ? supply.takeF32(`${name}.${key}`, shape).data : new Float32Array(params[name].data.length);
    }
    const step = stepped ? takeStep(supply, `${name}.step`) : 0;
    state[name] = { ...counters, step, ...powersAt(step, betasOf(stateDict, name)), arrays: floats };
  }
  supply.end();
  const step = Math.max(...names.map((name) => state[name].step));
  return { ...stateDict, step, params, state };
}

/**
 * A safetensors file from which PyTorch's Adam, AdamW or AMSGrad goes on. It has no hyperparameters.
 *
 * @param stateDict of an `adam`, `adamw` or `amsgrad`
 * @throws ArgumentError for another algorithm's state dict, one with compact state, and names that collide in the file
 * @example
 * writeFileSync('adam.safetensors', encodePyTorchAdam(optimizer.stateDict()));
 */
export function encodePyTorchAdam(stateDict: StateDict): Uint8Array<ArrayBuffer> {
  const collector = new TensorCollector();
  const names = checkAdam(stateDict);
  for (const name of names) collector.add(name, `stateDict.params.${name}`, stateDict.params[name]);
  for (const name of names) {
    const { arrays, step } = stateDict.state[name];
    const path = `stateDict.state.${name}`;
    const { shape } = stateDict.params[name];
    for (const [key, data] of Object.entries(arrays as Floats))
      collector.add(`${name}.${key}`, `${path}.arrays.${key}`, { shape, data });
    const data = step <= MAX_FLOAT_STEP ? new Float32Array([step]) : new BigInt64Array([BigInt(step)]);
    collector.add(`${name}.step`, `${path}.step`, { shape: [], data });
  }
  return encodeSafetensors(collector.entries, { format: 'pt' });
}

/** Names of the parameters of a state dict that PyTorch can have. */
function checkAdam(stateDict: StateDict): string[] {
  if (typeof stateDict !== 'object' || stateDict === null) fail('stateDict', 'an object', stateDict);
  const { algorithm, params, state } = stateDict;
  for (const [key, value] of Object.entries({ params, state })) {
    if (typeof value !== 'object' || value === null) fail(`stateDict.${key}`, 'an object by parameter name', value);
  }
  if (!ALGORITHMS.includes(algorithm)) fail('stateDict.algorithm', `one of ${ALGORITHMS.join(', ')}`, algorithm);
  const names = Object.keys(params);
  for (const name of names) {
    const arrays = Object.hasOwn(state, name) ? state[name].arrays : fail(`stateDict.state.${name}`, 'an entry', undefined);
    for (const [key, array] of Object.entries(arrays)) {
      if (!isFloat32Array(array)) {
        throw new ArgumentError(`stateDict.state.${name}.arrays.${key}`, 'a Float32Array, as PyTorch has it', describe(array));
      }
    }
  }
  return names;
}

function betasOf({ groups }: StateDict, name: string): readonly [number, number] {
  return groups.find(({ params }) => params.includes(name))!.betas as readonly [number, number];
}

/** By repeated product, as accepted steps multiply them. */
function powersAt(step: number, [beta1, beta2]: readonly [number, number]): { beta1Power: number; beta2Power: number } {
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
  if (dtype !== 'F32' && dtype !== 'F64' && dtype !== 'I64') refuse('dtype', `tensor ${quote(name)}`, 'F32, F64 or I64', dtype);
  if (data.length !== 1) refuse('shape', `tensor ${quote(name)}`, 'one number', `shape [${shape.join(', ')}]`);
  const step = Number(data[0]);
  if (!(Number.isInteger(step) && step >= 0 && step < 2 ** 31)) {
    refuse('step', `tensor ${quote(name)}`, 'a whole number in [0, 2^31 - 1]', String(data[0]));
  }
  return step;
}
