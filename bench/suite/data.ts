/** Reads the data of workloads by name, as bytes, wherever the suite runs. */
import { AdalError } from 'adal-wasm';

export interface DataSource {
  /**
   * @param name a path below bench/data, or 'fashion-mnist/…' for the system's copy of it
   * @throws MissingDataError if it is unavailable
   */
  load(name: string): Promise<Uint8Array>;
}

/** Data that a workload needs is not here: the workload is unsupported, and this says why. */
export class MissingDataError extends AdalError {
  constructor(name: string, advice: string) {
    super('MISSING_DATA', `${name} is not here: ${advice}`);
  }
}

export async function loadText(source: DataSource, name: string): Promise<string> {
  return new TextDecoder().decode(await source.load(name));
}

/** A copy aligned for typed arrays of any element. */
export async function loadBuffer(source: DataSource, name: string): Promise<ArrayBuffer> {
  return (await source.load(name)).slice().buffer as ArrayBuffer;
}

/** Unpacked if it is gzip. */
export async function loadUnzipped(source: DataSource, name: string): Promise<Uint8Array> {
  const bytes = await source.load(name);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes as BlobPart])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
