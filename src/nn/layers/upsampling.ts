/** The plan that upsampling of images and of sequences shares. */
import { PLAIN, type PlannedLayer, type Shape } from './layer';

/** Returns the plan of upsampling that a pooling of `window` from `output` to x describes. */
export function upSamplingPlan(output: Shape, record: Int32Array): PlannedLayer {
  return {
    ...PLAIN,
    output,
    record,
    forward({ x, y, record: at }, { kernels, count }) {
      kernels.upSampling2d(y, x, at, count);
    },
    backward({ dx, dy, record: at }, { kernels, count }) {
      if (dx) kernels.upSampling2dGrad(dx, dy, at, count);
    },
  };
}
