/**
 * The checksum that a safetensors file may carry in its metadata, of all that the file says: names,
 * types, shapes and bytes of its tensors, and the rest of the metadata. It does not depend on how
 * the header is written, so another program may write the same content again with the same
 * metadata.
 *
 * Invariant: no changed, missing or added element, name, size or text keeps the checksum.
 */
import { CheckpointError } from '../errors';
import { shorten } from './header-json';
import { checksum } from './stores/checksum';

/** Key of the metadata that holds it. */
export const CHECKSUM = 'adal_checksum';

/** A tensor of the file. */
interface Content {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: {
    readonly buffer: ArrayBufferLike;
    readonly byteOffset: number;
    readonly byteLength: number;
  };
}

/** @param metadata without the checksum */
export function contentChecksum(
  tensors: readonly Content[],
  metadata: Readonly<Record<string, string>>,
): string {
  const rows = tensors.map(({ name, dtype, shape, data }): [string, ...unknown[]] => {
    const sum = checksum(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return [name, dtype, shape, sum];
  });
  const text = JSON.stringify([Object.entries(metadata).sort(byName), rows.sort(byName)]);
  return checksum(new TextEncoder().encode(text));
}

/** @throws CheckpointError with the reason `'corrupt'` where the file says another than it has */
export function checkContent(
  expected: string,
  tensors: readonly Content[],
  metadata: Readonly<Record<string, string>>,
): void {
  const got = contentChecksum(tensors, metadata);
  if (got === expected) return;
  const said = `expected the checksum "${shorten(expected)}" of its metadata "${CHECKSUM}", got "${got}"`;
  throw new CheckpointError(
    'corrupt',
    `safetensors file is damaged: ${said} (a program that changes a file on purpose must remove that metadata)`,
  );
}

/** In the order of code units, which is the same everywhere. */
function byName(
  [a]: readonly [string, ...unknown[]],
  [b]: readonly [string, ...unknown[]],
): number {
  return a < b ? -1 : 1;
}
