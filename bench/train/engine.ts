/** The interface of engines that run in Node, and what they share. */
import type { ProductWorkload, TrainingWorkload } from './workloads';

/** One call to time: a step, a fit or a product. Returns a loss, or an element of the product. */
export type Run = () => number | Promise<number>;

/** Settings of an engine, as JSON on the command line of its process. */
export interface EngineOptions {
  /** Threads of adal-wasm. @default 1 */
  readonly threads?: number;
  /** Whether adal-wasm uses relaxed SIMD. @default false */
  readonly relaxed?: boolean;
  /** Whether adal-wasm gets a chain of layers as a graph. @default false */
  readonly graph?: boolean;
  /** Backend of TensorFlow.js. */
  readonly backend?: 'wasm' | 'cpu';
}

/** A module that trains. */
export interface Engine {
  readonly version: string;
  createStep(workload: TrainingWorkload, options: EngineOptions): Promise<Run>;
  createFit(workload: TrainingWorkload, options: EngineOptions): Promise<Run>;
  createProduct(workload: ProductWorkload, options: EngineOptions): Promise<Run>;
}

/** Brings indices into random order, in place. */
export function shuffle(order: Uint32Array): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
}
