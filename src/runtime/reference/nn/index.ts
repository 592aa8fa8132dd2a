/**
 * The nn kernels in plain TypeScript, one operation at a time: the meaning of assembly/nn.ts, bit
 * for bit, and what runs where there is no WebAssembly SIMD.
 */
import type { NNKernels } from '../../kernels-nn';
import { activations } from './activations';
import { type Arithmetic, float32 } from './arithmetic';
import { elementWise, reductions } from './element-wise';
import { images } from './images';
import { losses } from './losses';
import { matrices } from './matrices';
import type { OracleMemory } from './memory';
import { norms } from './norms';
import { peakMulAdd } from './peak';

export { float32, float64 } from './arithmetic';

/**
 * The nn kernels over `memory`. With `float64`, whose memory holds f64 too, they are the reference
 * for gradients.
 */
export function createOracleNN(memory: OracleMemory, arithmetic: Arithmetic = float32): NNKernels {
  return {
    ...elementWise(memory, arithmetic),
    ...reductions(memory),
    ...matrices(memory, arithmetic),
    ...activations(memory, arithmetic),
    ...images(memory, arithmetic),
    ...norms(memory, arithmetic),
    ...losses(memory, arithmetic),
    peakMulAdd,
  };
}
