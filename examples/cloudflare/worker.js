/** POST /tenants/<name> with samples as JSON: the tenant's model learns from them. POST /r2/<name>: the same without a Durable Object. */
import { DurableObject } from 'cloudflare:workers';
import { CheckpointConflictError, durableObjectStore, r2Store } from 'adal-wasm/checkpoint';
import { learn } from './learner.js';

/** One object a tenant: its requests, from wherever they come, are handled here one after the other. */
export class Tenant extends DurableObject {
  #store = durableObjectStore(this.ctx.storage, 'model', { chunkBytes: 1_000_000 });
  #last = Promise.resolve();

  learn(samples) {
    // Requests interleave wherever one waits for storage, so each begins when the last one has saved.
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

/** Many writers and no order among them: whoever lost the race learns again from what the winner saved. */
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

export default {
  async fetch(request, env) {
    const [, kind, name] = new URL(request.url).pathname.split('/');
    if (request.method !== 'POST' || !name) return new Response('POST samples to /tenants/<name> or /r2/<name>', { status: 404 });
    const samples = await request.json();
    if (kind === 'tenants') return Response.json(await env.TENANTS.getByName(name).learn(samples));
    if (kind === 'r2') return Response.json(await learnInBucket(env.MODELS, name, samples));
    return new Response('tenants or r2', { status: 404 });
  },
};
