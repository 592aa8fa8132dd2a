// deno run main.ts: needs no permission. With deno.json instead of package.json, write
// { "imports": { "adal-wasm": "npm:adal-wasm" } }
import { createOptimizer } from 'adal-wasm';
import { memoryStore } from 'adal-wasm/checkpoint';
import { cosine } from 'adal-wasm/schedules';

// Finds the minimum of Rosenbrock's function from its usual start.
const optimizer = await createOptimizer(
  'adam',
  { p: new Float32Array([-1.2, 1]) },
  { lr: cosine({ lr: 0.05, totalSteps: 3000 }) },
);
for (let step = 0; step < 3000; step++) {
  const [x, y] = optimizer.params.p;
  optimizer.grads.p.set([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]);
  optimizer.step();
}
const [x, y] = optimizer.params.p;
await memoryStore().save(new Uint8Array(optimizer.params.p.slice().buffer));
if (Math.hypot(x - 1, y - 1) > 0.05) throw new Error(`ended at ${x}, ${y}`);
console.log(`minimum at ${x.toFixed(3)}, ${y.toFixed(3)} on ${optimizer.runtime.info.backend}`);
