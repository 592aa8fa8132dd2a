/** An optimizer's state dict as one safetensors file: arrays as tensors, all else as JSON in its metadata. */
import { decodeSafetensors, encodeSafetensors } from 'adal-wasm/checkpoint';

export function encodeState(stateDict) {
  const tensors = [];
  const state = JSON.stringify(stateDict, (_, value) => {
    if (!ArrayBuffer.isView(value)) return value;
    tensors.push({ name: `${tensors.length}`, shape: [value.length], data: value });
    return { $tensor: tensors.length - 1 };
  });
  return encodeSafetensors(tensors, { state });
}

export function decodeState(bytes) {
  const { tensors, metadata } = decodeSafetensors(bytes);
  return JSON.parse(metadata.state, (_, value) => (value?.$tensor === undefined ? value : tensors[value.$tensor].data));
}
