/**
 * What is used of the peers. They are installed on request alone, so their own declarations are not
 * there when this is compiled.
 */

declare module '@jax-js/jax' {
  /** An array. Operations consume their operands; `ref` keeps one that is used again. */
  export interface Array {
    readonly shape: number[];
    readonly ref: Array;
    add(other: Array | number): Array;
    sub(other: Array | number): Array;
    mul(other: Array | number): Array;
    div(other: Array | number): Array;
    sum(): Array;
    reshape(shape: number[]): Array;
    dataSync(): Float32Array;
    dispose(): void;
  }
  type Data = Float32Array | Int32Array | number;
  interface Numpy {
    readonly float32: unknown;
    readonly int32: unknown;
    readonly max: unknown;
    array(data: Data, options?: { shape: readonly number[]; dtype: unknown }): Array;
    zeros(shape: readonly number[]): Array;
    dot(a: Array, b: Array): Array;
    sqrt(x: Array): Array;
    square(x: Array): Array;
    tanh(x: Array): Array;
    mean(x: Array, axis: number, options: { keepdims: boolean }): Array;
    transpose(x: Array, order?: number[]): Array;
  }
  export const numpy: Numpy;
  export const nn: {
    relu(x: Array): Array;
    oneHot(x: Array, classes: number): Array;
    logSoftmax(x: Array): Array;
  };
  export const lax: {
    conv(x: Array, weight: Array, strides: number[], padding: 'SAME'): Array;
    reduceWindow(x: Array, operation: unknown, size: number[], strides: number[]): Array;
  };
  export function init(device: 'wasm'): Promise<unknown>;
  export function defaultDevice(device: 'wasm'): void;
  /** Compiles a function of (nested lists of) arrays. */
  // biome-ignore lint/suspicious/noExplicitAny: any function of arrays
  export function jit<F extends (...args: any[]) => unknown>(body: F): F;
  export function valueAndGrad(
    body: (parameters: readonly Array[], x: Array, y: Array) => Array,
  ): (parameters: readonly Array[], x: Array, y: Array) => [value: Array, gradients: Array[]];
}

declare module '@tensorflow/tfjs-core' {
  export interface Tensor {
    readonly shape: number[];
    dataSync(): Float32Array;
    dispose(): void;
  }
  export interface Variable extends Tensor {
    readonly name: string;
  }
  export interface Optimizer {
    minimize(loss: () => Tensor, returnCost: true): Tensor;
    applyGradients(gradients: readonly { name: string; tensor: Tensor }[]): void;
    dispose(): void;
  }
  type Values = Float32Array | Int32Array;
  type Shape = readonly number[];
  export const version_core: string;
  export const train: {
    adam(lr: number, beta1: number, beta2: number, eps: number): Optimizer;
    sgd(lr: number): Optimizer;
  };
  export const losses: { softmaxCrossEntropy(labels: Tensor, logits: Tensor): Tensor };
  export function env(): { set(flag: string, value: boolean): void };
  export function setBackend(name: string): Promise<boolean>;
  export function getBackend(): string;
  export function ready(): Promise<void>;
  export function tensor(values: Values, shape: Shape): Tensor;
  export function tensor1d(values: Values, type?: string): Tensor;
  export function tensor2d(values: Values, shape: Shape): Tensor;
  export function variable(initial: Tensor): Variable;
  export function transpose(x: Tensor, order?: Shape): Tensor;
  export function cast(x: Tensor, type: string): Tensor;
  export function oneHot(indices: Tensor, depth: number): Tensor;
  export function slice(x: Tensor, begin: number, size: number): Tensor;
  export function add(a: Tensor, b: Tensor | number): Tensor;
  export function sub(a: Tensor, b: Tensor): Tensor;
  export function mul(a: Tensor, b: Tensor | number): Tensor;
  export function div(a: Tensor, b: Tensor): Tensor;
  export function sqrt(x: Tensor): Tensor;
  export function softmax(x: Tensor): Tensor;
  export function matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  export function conv1d(x: Tensor, weight: Tensor, stride: number, padding: 'same'): Tensor;
  export function conv2d(x: Tensor, weight: Tensor, strides: number, padding: number): Tensor;
  export function depthwiseConv2d(
    x: Tensor,
    weight: Tensor,
    strides: number,
    padding: number,
  ): Tensor;
  export function maxPool(
    x: Tensor,
    size: number | readonly [number, number],
    strides: number | readonly [number, number],
    padding: 'valid',
  ): Tensor;
  export function mean(x: Tensor, axes: Shape): Tensor;
  export function sigmoid(x: Tensor): Tensor;
  export function split(x: Tensor, parts: number, axis: number): Tensor[];
  export function stack(tensors: readonly Tensor[], axis: number): Tensor;
  export function unstack(x: Tensor, axis: number): Tensor[];
  export function zeros(shape: Shape): Tensor;
  export function relu(x: Tensor): Tensor;
  export function relu6(x: Tensor): Tensor;
  export function tanh(x: Tensor): Tensor;
  export function reshape(x: Tensor, shape: Shape): Tensor;
  export function moments(
    x: Tensor,
    axis: number | Shape,
    keepDims?: boolean,
  ): { mean: Tensor; variance: Tensor };
  export function batchNorm(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    offset: Tensor,
    scale: Tensor,
    epsilon: number,
  ): Tensor;
  export function dispose(tensors: readonly Tensor[]): void;
}

declare module '@tensorflow/tfjs-layers' {
  import type { Optimizer, Tensor } from '@tensorflow/tfjs-core';

  type Layer = { readonly kind?: 'layer' };
  interface Model {
    compile(options: { optimizer: Optimizer; loss: string }): void;
    fit(
      x: Tensor,
      y: Tensor,
      options: { batchSize: number; epochs: number; verbose: 0; yieldEvery: 'never' },
    ): Promise<{ history: Record<string, number[]> }>;
    getWeights(): Tensor[];
    dispose(): void;
  }
  export const layers: {
    dense(options: { units: number; activation: string }): Layer;
    reLU(): Layer;
    batchNormalization(): Layer;
    inputLayer(options: { inputShape: readonly number[] }): Layer;
  };
  export function sequential(options: { layers: Layer[] }): Model;
}

declare module '@tensorflow/tfjs-backend-cpu';

declare module '@tensorflow/tfjs-backend-wasm' {
  export function setWasmPaths(address: string): void;
}
