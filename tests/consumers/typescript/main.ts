import { AdaL, createRuntime, type Runtime, type StepResult, type WasmSources } from 'adal-wasm';
import { type CheckpointStore, memoryStore } from 'adal-wasm/checkpoint';
import type { Model } from 'adal-wasm/nn';
import { createOptimizer } from 'adal-wasm/registry';
import { cosine, type Schedule } from 'adal-wasm/schedules';
import { train } from './train.js';

const lr: Schedule = cosine({ lr: 0.1, totalSteps: 10 });
const wasm: WasmSources = {};
const runtime: Runtime = await createRuntime({ wasm, threads: 1 });
const optimizer = new AdaL(runtime, { w: { shape: [2, 2] } }, { lr, betas: [0.9, 0.95] });
const result: StepResult = optimizer.step({ w: new Float32Array(4) });
const store: CheckpointStore = memoryStore();
// @ts-expect-error: a misspelt option
await createOptimizer('sgd', { w: new Float32Array(1) }, { momentun: 1 }).catch(() => {});
export type Checked = [Model, typeof result, typeof store];
console.log(await train());
