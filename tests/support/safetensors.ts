/**
 * A strict reader of F32 safetensors files, written from the format's description: what the writer
 * is checked against.
 */
export interface DecodedSafetensors {
  /** The header as text, padding included. */
  header: string;
  metadata: Record<string, string>;
  /** In the order of their bytes. */
  tensors: Map<string, { shape: number[]; data: Float32Array }>;
}

export function decodeSafetensors(bytes: Uint8Array): DecodedSafetensors {
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = new TextDecoder('utf-8', { fatal: true }).decode(
    bytes.subarray(8, 8 + headerBytes),
  );
  if (header[0] !== '{') throw new Error('a header begins with {');
  const fields = new Map<string, unknown>(Object.entries(JSON.parse(header)));
  const metadata = (fields.get('__metadata__') ?? {}) as Record<string, string>;
  fields.delete('__metadata__');
  type Field = { dtype: string; shape: number[]; data_offsets: [number, number] };
  const byOffset = ([, a]: [string, Field], [, b]: [string, Field]) =>
    a.data_offsets[1] - b.data_offsets[1];
  const sorted = ([...fields] as [string, Field][]).sort(byOffset);
  const tensors: DecodedSafetensors['tensors'] = new Map();
  let end = 0;
  for (const [name, { dtype, shape, data_offsets }] of sorted) {
    if (dtype !== 'F32') throw new Error(`${name}: ${dtype}`);
    if (data_offsets[0] !== end) throw new Error(`${name}: a gap or overlap at ${end}`);
    end = data_offsets[1];
    const data = new Float32Array(
      Uint8Array.from(bytes.subarray(8 + headerBytes + data_offsets[0], 8 + headerBytes + end))
        .buffer,
    );
    if (data.length !== shape.reduce((product, size) => product * size, 1))
      throw new Error(`${name}: shape`);
    tensors.set(name, { shape, data });
  }
  if (8 + headerBytes + end !== bytes.length) throw new Error('bytes after the last tensor');
  return { header, metadata, tensors };
}
