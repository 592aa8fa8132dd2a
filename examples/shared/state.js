/**
 * What the example services share: an optimizer's state as bytes, and what they ask of a request
 * before they learn from it.
 */
import { decodeSafetensors, encodeSafetensors } from 'adal-wasm/checkpoint';

/**
 * An optimizer's state dict as one safetensors file: arrays as tensors, all else as JSON in its
 * metadata.
 */
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
  return JSON.parse(metadata.state, (_, value) =>
    value?.$tensor === undefined ? value : tensors[value.$tensor].data,
  );
}

/** A request that is refused: nothing has been learnt from it, and nothing saved. */
export class RefusedRequest extends Error {
  /** @param status of the HTTP answer: 400, 401, 404 or 413 */
  constructor(status, message) {
    super(message);
    this.name = 'RefusedRequest';
    this.status = status;
  }
}

/** Bytes of a request's body. Reading one without a bound would let anybody fill the memory. */
export const MOST_BYTES = 256 * 1024;
/**
 * Features are scaled before they are sent; numbers beyond this are a mistake, and would spoil a
 * model.
 */
const LARGEST_FEATURE = 1000;

/**
 * The samples in a request's body.
 * @param body its text, or null
 * @param format {features, classes, most}: numbers of a sample, its classes, and samples of a
 * request
 * @throws RefusedRequest unless it is JSON of at most MOST_BYTES that `checkSamples` accepts
 */
export function readSamples(body, format) {
  if (typeof body !== 'string') throw new RefusedRequest(400, 'the request has no body');
  if (new TextEncoder().encode(body).length > MOST_BYTES) throw tooLarge();
  let samples;
  try {
    samples = JSON.parse(body);
  } catch {
    throw new RefusedRequest(400, 'the body is not JSON');
  }
  return checkSamples(samples, format);
}

export function tooLarge() {
  return new RefusedRequest(413, `the body has more than ${MOST_BYTES} bytes`);
}

/**
 * Checks everything that a step would learn from. Arrays in linear memory would take it all: a
 * missing label as 0, text as NaN.
 * @throws RefusedRequest naming what is wrong, by its place alone
 */
export function checkSamples(samples, { features, classes, most }) {
  const refuse = (place, expected) => {
    throw new RefusedRequest(400, `${place}: expected ${expected}`);
  };
  if (!Array.isArray(samples) || samples.length < 1 || samples.length > most) {
    refuse('the body', `an array of 1 to ${most} samples {features, label}`);
  }
  for (const [index, sample] of samples.entries()) {
    const place = `samples[${index}]`;
    if (typeof sample !== 'object' || sample === null) refuse(place, 'an object {features, label}');
    const { features: values, label } = sample;
    if (!Array.isArray(values) || values.length !== features)
      refuse(`${place}.features`, `an array of ${features} numbers`);
    const wrong = values.findIndex((x) => !Number.isFinite(x) || Math.abs(x) > LARGEST_FEATURE);
    if (wrong >= 0)
      refuse(
        `${place}.features[${wrong}]`,
        `a number in [-${LARGEST_FEATURE}, ${LARGEST_FEATURE}]`,
      );
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      refuse(`${place}.label`, `an integer in [0, ${classes - 1}]`);
  }
  return samples;
}

const keyOf = (secret, use) =>
  crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    [use],
  );

/**
 * The token that lets who has it post to one tenant, and to no other: the HMAC-SHA-256 of the
 * tenant's name, in hexadecimal. The operator makes it from the service's secret and gives it to
 * the tenant.
 */
export async function tokenOf(secret, tenant) {
  const mac = await crypto.subtle.sign(
    'HMAC',
    await keyOf(secret, 'sign'),
    new TextEncoder().encode(tenant),
  );
  return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Who may post to a tenant: whoever sends `Authorization: Bearer <its token>`. Replace it by what
 * your users already sign in with; but do not do without, since whoever may post decides what a
 * model learns.
 * @param secret the service's, at least 32 characters; without one the service serves nobody
 * @throws RefusedRequest without the right token
 * @throws Error without a secret
 */
export async function authorise(secret, tenant, authorization) {
  if (typeof secret !== 'string' || secret.length < 32) {
    throw new Error(
      'LEARN_SECRET is not set, or has fewer than 32 characters: without it anybody could post to any tenant',
    );
  }
  const [, token] = /^Bearer ([0-9a-f]{64})$/.exec(authorization ?? '') ?? [];
  const mac = Uint8Array.from(token?.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  // Takes the same time wherever two tokens begin to differ.
  const right = await crypto.subtle.verify(
    'HMAC',
    await keyOf(secret, 'verify'),
    mac,
    new TextEncoder().encode(tenant),
  );
  if (!right)
    throw new RefusedRequest(
      401,
      "a request needs the tenant's token: Authorization: Bearer <token>",
    );
}
