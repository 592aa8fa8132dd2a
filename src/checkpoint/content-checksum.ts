/**
 * The checksum that a safetensors file may carry in its metadata. It covers the names, types,
 * shapes and bytes of all tensors, and the rest of the metadata. It does not depend on the
 * formatting of the header, so another program may rewrite the file with the same metadata.
 *
 * Any element, name, size or text that is changed, missing or added changes the checksum.
 */
import { CheckpointError } from '../errors';
import { shorten } from './header-json';
import { checksum } from './stores/checksum';

/** Metadata key of the checksum. */
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

/** Computes the checksum. @param metadata without the checksum itself */
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

/** Throws a CheckpointError with the reason `'corrupt'` if the content has another checksum. */
export function checkContent(
  expected: string,
  tensors: readonly Content[],
  metadata: Readonly<Record<string, string>>,
): void {
  const got = contentChecksum(tensors, metadata);
  if (got === expected) return;
  const claim = `expected the checksum "${shorten(expected)}" of its metadata "${CHECKSUM}"`;
  throw new CheckpointError(
    'corrupt',
    `safetensors file is damaged: ${claim}, got "${got}" ` +
      '(a program that changes the file on purpose must remove that metadata)',
  );
}

/** Orders by UTF-16 code units, which is the same on every platform. */
function byName(
  [a]: readonly [string, ...unknown[]],
  [b]: readonly [string, ...unknown[]],
): number {
  return a < b ? -1 : 1;
}
