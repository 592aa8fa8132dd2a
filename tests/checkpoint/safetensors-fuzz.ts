/**
 * Mutated safetensors files against the reader: each is refused with a CheckpointError of a known
 * reason, or read without needing more memory than the file has bytes, and then written and read
 * back the same. Deterministic.
 */
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsContent,
} from '../../src/checkpoint/safetensors';
import { CheckpointError } from '../../src/errors';
import { createMutator } from '../fuzz/inputs/safetensors.js';
import { bytesOf } from '../support/safetensors-files';
import { Xorshift } from '../support/xorshift';

/** Every reason there is. */
export const REASONS = [
  'truncated',
  'header-too-large',
  'header-length',
  'header-start',
  'utf8',
  'json',
  'duplicate-key',
  'metadata',
  'entry',
  'dtype',
  'shape',
  'overflow',
  'offsets',
  'range',
  'size',
  'overlap',
  'hole',
  'trailing',
];

export interface FuzzResult {
  accepted: number;
  /** How often each reason was given. */
  refused: Record<string, number>;
}

/** Mutates and reads `count` files. */
export function fuzzSafetensors(count: number, seed: number): FuzzResult {
  const random = new Xorshift(seed);
  const mutate = createMutator(encodeSafetensors);
  const result: FuzzResult = {
    accepted: 0,
    refused: Object.fromEntries(REASONS.map((reason) => [reason, 0])),
  };
  for (let i = 0; i < count; i++) {
    const bytes = mutate(random);
    try {
      if (checkOne(bytes, result)) result.accepted++;
    } catch (cause) {
      throw new Error(
        `input ${i} of seed ${seed}: ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`,
        { cause },
      );
    }
  }
  return result;
}

function checkOne(bytes: Uint8Array, { refused }: FuzzResult): boolean {
  let content: SafetensorsContent;
  try {
    content = decodeSafetensors(bytes);
  } catch (error) {
    if (!(error instanceof CheckpointError) || !(error.reason in refused)) throw error;
    refused[error.reason]!++;
    return false;
  }
  let copied = 0;
  let held = 0;
  for (const { data } of Object.values(content.tensors)) {
    held += data.byteLength;
    if (data.buffer !== bytes.buffer) copied += data.buffer.byteLength;
  }
  if (held > bytes.length || copied > bytes.length)
    throw new Error(`${held} bytes held, ${copied} copied of ${bytes.length}`);
  assertSame(decodeSafetensors(encodeSafetensors(content.tensors, content.metadata)), content);
  return true;
}

function assertSame(got: SafetensorsContent, wanted: SafetensorsContent): void {
  if (fingerprint(got) !== fingerprint(wanted))
    throw new Error('the file written again reads differently');
}

function fingerprint({ tensors, metadata }: SafetensorsContent): string {
  const names = Object.keys(tensors).sort();
  const parts = names.map((name) => {
    const { dtype, shape, data } = tensors[name]!;
    return [name, dtype, shape, bytesOf(data).toString('latin1')];
  });
  return JSON.stringify([parts, Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
