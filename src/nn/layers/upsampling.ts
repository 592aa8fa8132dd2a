/** The plan that upsampling of images and of sequences shares. */
import { PLAIN, type PlannedLayer, type Shape } from './layer';

/** Returns the plan of upsampling to `output`; `record` is that of a pooling from y to x. */
export function upSamplingPlan(
  output: Shape,
  record: Int32Array,
  interpolation: 'nearest' | 'bilinear' = 'nearest',
): PlannedLayer {
  const bilinear = interpolation === 'bilinear';
  return {
    ...PLAIN,
    output,
    record,
    forward({ x, y, record: at }, { kernels, count }) {
      if (bilinear) kernels.bilinear2d(y, x, at, count);
      else kernels.upSampling2d(y, x, at, count);
    },
    backward({ dx, dy, record: at }, { kernels, count }) {
      if (!dx) return;
      if (bilinear) kernels.bilinear2dGrad(dx, dy, at, count);
      else kernels.upSampling2dGrad(dx, dy, at, count);
    },
  };
}
