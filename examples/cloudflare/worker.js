/**
 * POST /tenants/<name> with samples as JSON trains the tenant's model in a Durable Object.
 * POST /r2/<name> does the same over an R2 bucket.
 *
 * Posting to a tenant needs its token (`authorise` in state.js), which is derived from the secret
 * that `wrangler secret put LEARN_SECRET` stores. The Worker checks the whole request before it
 * loads, learns or saves anything, and answers mistakes with 400 (401, 404, 413) and a sentence.
 */
import { DurableObject } from 'cloudflare:workers';
import { CheckpointConflictError, durableObjectStore, r2Store } from 'adal-wasm/checkpoint';
import { FORMAT, learn } from './learner.js';
import { authorise, MOST_BYTES, RefusedRequest, readSamples, tooLarge } from './state.js';

/** One object per tenant: it handles the tenant's requests from everywhere, one after the other. */
export class Tenant extends DurableObject {
  #store = durableObjectStore(this.ctx.storage, 'model', { chunkBytes: 1_000_000 });
  #last = Promise.resolve();

  learn(samples) {
    // Requests interleave while one waits for storage, so each starts after the last one has saved.
    const turn = this.#last.then(() => this.#learn(samples));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #learn(samples) {
    const latest = await this.#store.load();
    const { bytes, answer } = await learn(latest?.bytes ?? null, samples);
    await this.#store.save(bytes, { ifVersion: latest?.version ?? null });
    return answer;
  }
}

/**
 * Trains a model that many isolates write at once: a writer that lost the race learns again, from
 * what the winner saved.
 */
async function learnInBucket(bucket, name, samples) {
  const store = r2Store(bucket, `${name}.safetensors`);
  for (let tries = 1; ; tries++) {
    const latest = await store.load();
    const { bytes, answer } = await learn(latest?.bytes ?? null, samples);
    try {
      await store.save(bytes, { ifVersion: latest?.version ?? null });
      return answer;
    } catch (error) {
      if (!(error instanceof CheckpointConflictError) || tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * tries));
    }
  }
}

/** Returns the body as text and stops reading after MOST_BYTES. */
async function readBody({ body, headers }) {
  if (Number(headers.get('content-length')) > MOST_BYTES) throw tooLarge();
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

async function answer(request, env) {
  const [, kind, name, ...rest] = new URL(request.url).pathname.split('/');
  // The name becomes the key of an object in the bucket.
  const known =
    (kind === 'tenants' || kind === 'r2') && /^[\w-]{1,64}$/.test(name ?? '') && rest.length === 0;
  if (request.method !== 'POST' || !known)
    throw new RefusedRequest(404, 'POST samples to /tenants/<name> or /r2/<name>');
  await authorise(env.LEARN_SECRET, name, request.headers.get('authorization'));
  const samples = readSamples(await readBody(request), FORMAT);
  return kind === 'tenants'
    ? env.TENANTS.getByName(name).learn(samples)
    : learnInBucket(env.MODELS, name, samples);
}

export default {
  async fetch(request, env) {
    try {
      return Response.json(await answer(request, env));
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      return Response.json({ error: error.message }, { status: error.status });
    }
  },
};
