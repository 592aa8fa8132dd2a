/**
 * Stores that keep a checkpoint as one object in Cloudflare R2 or any S3-compatible service.
 * Objects are replaced as a whole. The version is the ETag, and the service itself compares it, so
 * conditional saves are atomic across machines.
 */
import { CheckpointError } from '../../errors';
import { fail } from '../../validate';
import { CheckpointConflictError, type CheckpointStore, checkName, createStore } from './store';

/** The part of `R2Object` that the store uses. */
export interface R2ObjectLike {
  readonly etag: string;
}

/** The part of `R2Bucket` that the store uses. */
export interface R2BucketLike {
  head(key: string): Promise<R2ObjectLike | null>;
  get(key: string): Promise<(R2ObjectLike & { arrayBuffer(): Promise<ArrayBuffer> }) | null>;
  /** Resolves with null if the condition does not hold. */
  put(
    key: string,
    value: Uint8Array,
    options?: { onlyIf?: { etagMatches?: string; etagDoesNotMatch?: string } },
  ): Promise<R2ObjectLike | null>;
}

/**
 * Creates a store that keeps a checkpoint in a Cloudflare R2 bucket.
 *
 * @param bucket R2 binding of a Worker
 * @param key key of the object
 * @throws ArgumentError if `bucket` is not a bucket or the key is empty
 * @example
 * const store = r2Store(env.MODELS, 'user-7.safetensors');
 * const latest = await store.load();
 * await store.save(bytes, { ifVersion: latest?.version ?? null });
 * @see https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
export function r2Store(bucket: R2BucketLike, key: string): CheckpointStore {
  if (typeof bucket?.put !== 'function') fail('bucket', 'an R2 bucket', bucket);
  checkName('key', key);
  const what = `R2 object "${key}"`;
  return createStore(
    what,
    async () => {
      const object = await bucket.get(key);
      return object && { bytes: new Uint8Array(await object.arrayBuffer()), version: object.etag };
    },
    async (copy, { ifVersion }) => {
      const onlyIf = ifVersion === null ? { etagDoesNotMatch: '*' } : { etagMatches: ifVersion };
      const object = await bucket.put(
        key,
        copy,
        ifVersion === undefined ? {} : { onlyIf: onlyIf as { etagMatches: string } },
      );
      if (object) return { version: object.etag };
      throw new CheckpointConflictError(ifVersion ?? null, (await bucket.head(key))?.etag ?? null);
    },
  );
}

/** The part of `Response` that the store uses. */
export interface S3ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Function that signs a request, sends it to the object's URL and returns the response. */
export type S3Request = (
  method: 'GET' | 'HEAD' | 'PUT',
  headers: Record<string, string>,
  body?: Uint8Array<ArrayBuffer>,
) => Promise<S3ResponseLike>;

/** Attempts of a save while the service responds with 409 (another request is under way). */
const MAX_TRIES = 6;
/** Pause before the second attempt, doubled before each further one. */
const RETRY_MS = 50;

/**
 * Creates a store that keeps a checkpoint in an S3-compatible service with conditional writes (AWS
 * S3, R2, MinIO, Ceph, …).
 *
 * @param request signs a request, if the URL needs it, and sends it to the object's URL
 * @throws ArgumentError if `request` is not a function
 * @example
 * const signer = new AwsClient({ accessKeyId, secretAccessKey }); // any signing fetch
 * const store = s3Store((method, headers, body) => signer.fetch(url, { method, headers, body }));
 * await store.save(bytes, { ifVersion: null }); // only if there is no object yet
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function s3Store(request: S3Request): CheckpointStore {
  if (typeof request !== 'function') fail('request', 'a function', request);
  return createStore(
    'S3 object',
    async () => {
      const response = await request('GET', {});
      if (response.status === 404) return null;
      if (response.status !== 200) throw unexpected('GET', response);
      return {
        bytes: new Uint8Array(await response.arrayBuffer()),
        version: etagOf('GET', response),
      };
    },
    async (copy, { ifVersion }) => ({ version: await put(request, copy, ifVersion) }),
  );
}

async function put(
  request: S3Request,
  bytes: Uint8Array<ArrayBuffer>,
  ifVersion: string | null | undefined,
): Promise<string> {
  const headers: Record<string, string> = {};
  if (ifVersion === null) headers['If-None-Match'] = '*';
  else if (ifVersion !== undefined) headers['If-Match'] = ifVersion;
  for (let tries = 1; ; tries++) {
    const response = await request('PUT', headers, bytes);
    const { status } = response;
    if (status === 200 || status === 201 || status === 204) return etagOf('PUT', response);
    if (status === 409 && tries < MAX_TRIES) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * 2 ** (tries - 1)));
      continue;
    }
    // 404: If-Match for an object that does not exist.
    if (ifVersion === undefined || (status !== 412 && status !== 404))
      throw unexpected('PUT', response);
    throw new CheckpointConflictError(ifVersion, await currentEtag(request));
  }
}

async function currentEtag(request: S3Request): Promise<string | null> {
  const response = await request('HEAD', {});
  if (response.status === 404) return null;
  if (response.status !== 200) throw unexpected('HEAD', response);
  return etagOf('HEAD', response);
}

function etagOf(method: string, { headers }: S3ResponseLike): string {
  const etag = headers.get('etag');
  if (etag) return etag;
  throw new CheckpointError(
    'io',
    `S3 object: ${method} expected an ETag, got none (in browsers, CORS must expose the header)`,
  );
}

function unexpected(method: string, { status }: S3ResponseLike): CheckpointError {
  return new CheckpointError(
    status === 409 ? 'busy' : 'io',
    `S3 object: ${method} got the status ${status}`,
  );
}
