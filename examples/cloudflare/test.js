/**
 * Tests the example's promises under workerd (no lost update, flat memory) and prints its times.
 */
import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { Miniflare } from 'miniflare';
import { tokenOf } from './state.js';
import thousand from './thousand.js';

const COMPATIBILITY_DATE = '2026-06-01';
const CONCURRENT = 50;

/** Returns the modules that wrangler built from an entry: the script first, then the binaries. */
function modulesIn(folder) {
  const files = readdirSync(folder).filter((file) => /\.(js|wasm)$/.test(file));
  files.sort((a, b) => Number(a.endsWith('.wasm')) - Number(b.endsWith('.wasm')));
  return files.map((file) => ({
    type: file.endsWith('.js') ? 'ESModule' : 'CompiledWasm',
    path: `${folder}/${file}`,
  }));
}

async function within(options, body) {
  const miniflare = new Miniflare({
    compatibilityDate: COMPATIBILITY_DATE,
    modulesRoot: '.',
    ...options,
  });
  try {
    return await body(miniflare);
  } finally {
    await miniflare.dispose();
  }
}

const samples = Array.from({ length: 16 }, (_, i) => ({
  features: Array.from({ length: 64 }, (_, j) => ((i * j) % 17) / 16),
  label: i % 10,
}));

const LEARN_SECRET = 'no secret at all: this is a test';

/** @param name tenant whose token is sent */
async function send(miniflare, path, body, name = path.split('/')[2]) {
  return miniflare.dispatchFetch(`http://x${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(LEARN_SECRET, name)}` },
    body,
    signal: AbortSignal.timeout(60_000),
  });
}

async function post(miniflare, path) {
  const response = await send(miniflare, path, JSON.stringify(samples));
  assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
  return response.json();
}

/** Sends many requests to one tenant at once: each is an update and sees those before it. */
async function loseNothing(miniflare, kind) {
  const start = performance.now();
  const answers = await Promise.all(
    Array.from({ length: CONCURRENT }, () => post(miniflare, `/${kind}/crowded`)),
  );
  const updates = answers.map((answer) => answer.updates).sort((a, b) => a - b);
  assert.deepEqual(
    updates,
    Array.from({ length: CONCURRENT }, (_, i) => i + 1),
  );
  const { updates: after, loss } = await post(miniflare, `/${kind}/crowded`);
  assert.equal(after, CONCURRENT + 1);
  const alone = await post(miniflare, `/${kind}/other`);
  assert.equal(alone.updates, 1);
  assert.ok(loss < alone.loss, `the loss fell: ${alone.loss} → ${loss}`);
  const ms = (performance.now() - start).toFixed(0);
  console.log(`${kind}: ${CONCURRENT} concurrent requests, ${CONCURRENT} updates, ${ms} ms`);
}

/**
 * Sends wrong requests: each is answered with a sentence, and the tenant learns nothing from them.
 */
async function refuseNonsense(miniflare, kind) {
  const [{ features }] = samples;
  const sample = (changed) => JSON.stringify([{ features, label: 1, ...changed }]);
  const refused = [
    ...[99, -1, 1.5, '3', null, undefined].map((label) => [400, sample({ label })]),
    ...[
      [1, 2, 3],
      [...features, 9],
      null,
      'x',
      features.map(String),
      [...features.slice(1), 1e9],
    ].map((wrong) => [400, sample({ features: wrong })]),
    ...[
      '',
      '{',
      '[]',
      'null',
      '[null]',
      '{}',
      '"x"',
      JSON.stringify(new Array(65).fill({ features, label: 1 })),
    ].map((body) => [400, body]),
    [413, ' '.repeat(300_000)],
  ];
  for (const [status, body] of refused) {
    const response = await send(miniflare, `/${kind}/nonsense`, body);
    const { error } = await response.json();
    assert.equal(response.status, status, `${body.slice(0, 80)}: ${error}`);
    assert.match(error, /^(samples\[0\]|the (body|request)).* /);
  }
  const stranger = await send(miniflare, `/${kind}/nonsense`, sample(), 'crowded');
  assert.equal(stranger.status, 401, await stranger.text());
  const elsewhere = await send(miniflare, `/${kind}/..%2Fx`, sample());
  assert.equal(elsewhere.status, 404, await elsewhere.text());
  assert.equal((await post(miniflare, `/${kind}/nonsense`)).updates, 1);
  console.log(`${kind}: ${refused.length + 2} wrong requests refused, nothing learnt from them`);
}

const bindings = {
  bindings: { LEARN_SECRET },
  durableObjects: { TENANTS: { className: 'Tenant', useSQLite: true } },
  r2Buckets: ['MODELS'],
};
await within({ modules: modulesIn('dist'), ...bindings }, async (miniflare) => {
  await loseNothing(miniflare, 'tenants');
  await loseNothing(miniflare, 'r2');
  await refuseNonsense(miniflare, 'tenants');
  await refuseNonsense(miniflare, 'r2');
});

/** Checks that no memory is kept for a tenant, nor any of its content. */
function judge(place, { usedBytes, rounds, leftovers }) {
  const [first] = rounds;
  for (const round of rounds) {
    assert.equal(round.memoryBytes, first.memoryBytes);
    assert.equal(round.usedBytes, usedBytes);
  }
  assert.equal(leftovers, 0);
  const times = rounds.map(({ p50Ms }) => p50Ms.toFixed(2)).join(', ');
  const sizes = `linear memory ${first.memoryBytes / 1024} KiB throughout and all zero at the end`;
  console.log(
    `1,000 tenants in turn, ${place}: p50 of ${rounds.length} rounds ${times} ms, ${sizes}`,
  );
}

global.gc();
const before = process.memoryUsage().heapUsed;
judge('Node', await (await thousand.fetch()).json());
global.gc();
const growth = ((process.memoryUsage().heapUsed - before) / 1024).toFixed(0);
console.log(`heap of Node after the 4,000 requests: ${growth} KiB more than before`);

await within({ modules: modulesIn('dist-thousand') }, async (miniflare) => {
  judge('workerd', await (await miniflare.dispatchFetch('http://x/')).json());
});
