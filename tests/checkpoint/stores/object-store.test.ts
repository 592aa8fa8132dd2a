/** The R2 and S3 stores on fakes with the services' conditions. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type R2BucketLike, r2Store, type S3Request, s3Store } from '../../../src/checkpoint';
import { ArgumentError } from '../../../src/errors';
import { content, contract } from './contract';
import { pause } from './fakes';

interface FakeObject {
  bytes: Uint8Array<ArrayBuffer>;
  etag: string;
}

function objectOf(bytes: Uint8Array): FakeObject {
  return { bytes: new Uint8Array(bytes), etag: createHash('md5').update(bytes).digest('hex') };
}

/** Conditions are checked at the moment the object is replaced. */
class FakeBucket implements R2BucketLike {
  readonly objects = new Map<string, FakeObject>();

  async head(key: string) {
    await pause();
    const object = this.objects.get(key);
    return object ? { etag: object.etag } : null;
  }

  async get(key: string) {
    await pause();
    const object = this.objects.get(key);
    if (!object) return null;
    return { etag: object.etag, arrayBuffer: async () => object.bytes.slice().buffer };
  }

  async put(key: string, value: Uint8Array, { onlyIf }: Parameters<R2BucketLike['put']>[2] = {}) {
    const object = objectOf(value);
    await pause();
    const etag = this.objects.get(key)?.etag;
    const { etagMatches, etagDoesNotMatch } = onlyIf ?? {};
    if (etagMatches !== undefined && etagMatches !== etag) return null;
    if (
      etagDoesNotMatch !== undefined &&
      etag !== undefined &&
      ['*', etag].includes(etagDoesNotMatch)
    )
      return null;
    this.objects.set(key, object);
    return { etag: object.etag };
  }
}

describe('r2Store', () => {
  contract(() => {
    const bucket = new FakeBucket();
    return () => r2Store(bucket, 'users/7');
  });

  test("names the bucket's failures", async () => {
    const failing = {
      put: () => Promise.reject(new Error('10001')),
      get: () => Promise.reject(new Error('10001')),
    };
    const store = r2Store(failing as unknown as R2BucketLike, 'a');
    await expect(store.load()).rejects.toMatchObject({
      reason: 'io',
      message: 'R2 object "a": 10001',
    });
    await expect(store.save(content(1))).rejects.toMatchObject({ reason: 'io' });
    expect(() => r2Store({} as R2BucketLike, 'a')).toThrow(ArgumentError);
    expect(() => r2Store(new FakeBucket(), '')).toThrow(ArgumentError);
  });
});

/** One object; a conditional PUT that comes while another is under way gets 409, as AWS does. */
function fakeS3(): S3Request {
  let object: FakeObject | null = null;
  let underWay = 0;
  const respond = (status: number, body: FakeObject | null = null) =>
    new Response(body && status !== 204 ? body.bytes : null, {
      status,
      headers: body ? { ETag: `"${body.etag}"` } : {},
    });
  const put = async (headers: Headers, bytes: Uint8Array) => {
    const [match, noneMatch] = [headers.get('if-match'), headers.get('if-none-match')];
    if ((match || noneMatch) && underWay > 0) return respond(409);
    underWay++;
    await pause();
    underWay--;
    if (match && !object) return respond(404);
    if ((match && match !== `"${object?.etag}"`) || (noneMatch === '*' && object))
      return respond(412);
    object = objectOf(bytes);
    return respond(200, { ...object, bytes: new Uint8Array(0) });
  };
  return async (method, headers, body) => {
    await pause();
    if (method === 'PUT') return put(new Headers(headers), body!);
    if (!object) return respond(404);
    return respond(200, method === 'HEAD' ? { ...object, bytes: new Uint8Array(0) } : object);
  };
}

describe('s3Store', () => {
  contract(() => {
    const request = fakeS3();
    return () => s3Store(request);
  });

  test.each([
    [403, 'io'],
    [500, 'io'],
    [409, 'busy'],
  ])('names the status %d', async (status, reason) => {
    const store = s3Store(async () => new Response(null, { status }));
    await expect(store.load()).rejects.toMatchObject({
      reason,
      message: `S3 object: GET got the status ${status}`,
    });
    await expect(store.save(content(1), { ifVersion: null })).rejects.toMatchObject({ reason });
    await expect(store.save(content(1))).rejects.toMatchObject({ reason });
  });

  test('needs the ETag', async () => {
    const store = s3Store(async () => new Response(null));
    await expect(store.load()).rejects.toThrow(/GET expected an ETag, got none/);
    await expect(store.save(content(1))).rejects.toThrow(/PUT expected an ETag, got none/);
    expect(() => s3Store({} as S3Request)).toThrow(ArgumentError);
  });
});
