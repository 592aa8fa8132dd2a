/** How the example services check requests before they learn from them. */

/** Refuses a request: the service has neither learnt from it nor saved anything. */
export class RefusedRequest extends Error {
  /** @param status HTTP status of the answer: 400, 401, 404 or 413 */
  constructor(status, message) {
    super(message);
    this.name = 'RefusedRequest';
    this.status = status;
  }
}

/** Most bytes of a request's body. Without a limit, anybody could fill the memory. */
export const MOST_BYTES = 256 * 1024;
/**
 * Clients scale features before they send them; a larger number is a mistake and would spoil a
 * model.
 */
const LARGEST_FEATURE = 1000;

/**
 * Returns the samples in a request's body.
 * @param body text of the body, or null
 * @param format {features, classes, most}: features per sample, number of classes, and most samples
 * per request
 * @throws RefusedRequest unless the body is JSON of at most MOST_BYTES that `checkSamples` accepts
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
 * Checks everything that a step learns from. Typed arrays would accept anything: a missing label
 * becomes 0, text becomes NaN.
 * @throws RefusedRequest naming the place of the first mistake, without repeating its content
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
 * Returns the token that permits posting to one tenant and no other: the HMAC-SHA-256 of the
 * tenant's name, in hexadecimal. The operator derives it from the service's secret and gives it to
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
 * Permits posting to a tenant to requests that send `Authorization: Bearer <its token>`. Replace
 * this with your users' existing sign-in, but do not remove it: whoever may post decides what the
 * model learns.
 * @param secret secret of the service, at least 32 characters; without one it serves nobody
 * @throws RefusedRequest without the right token
 * @throws Error without a secret
 */
export async function authorise(secret, tenant, authorization) {
  if (typeof secret !== 'string' || secret.length < 32) {
    throw new Error(
      'LEARN_SECRET must have at least 32 characters; without it anybody could post to any tenant',
    );
  }
  const [, token] = /^Bearer ([0-9a-f]{64})$/.exec(authorization ?? '') ?? [];
  const mac = Uint8Array.from(token?.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  // Takes the same time wherever the two tokens first differ.
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
