/**
 * The nn kernels in plain TypeScript, one operation at a time: the reference that the binaries of
 * assembly/nn reproduce bit for bit, and the kernels that run without WebAssembly SIMD. Each file
 * of reference/nn documents and computes the kernels of the file of the same name in assembly/nn.
 *
 * Arguments named x, y, a, b, c, out, … are addresses (byte offsets into linear memory) of f32
 * buffers, 64-byte aligned and zero-padded to a multiple of 16 elements; n counts real elements.
 * Matrices are dense and row-major. Element-wise kernels read padding and leave it zero; all others
 * touch real elements only. Kernels check nothing: their callers do. Buffers may overlap only where
 * a kernel's documentation says that they may be the same.
 */
import { referenceKernels } from '../../../build/reference-nn';
import { type Arithmetic, float32 } from './math/arithmetic';
import type { ReferenceMemory } from './math/memory';

export { float64 } from './math/arithmetic';

/**
 * Creates the nn kernels over `memory`. With `float64`, whose memory holds f64 too, tests use them
 * as the reference for gradients.
 */
export function createReferenceNN(memory: ReferenceMemory, arithmetic: Arithmetic = float32) {
  return referenceKernels(memory, arithmetic);
}
