/** Depthwise convolution and its gradients; assembly/math/depthwise.ts computes them. */
export {
  depthwiseConv2d,
  depthwiseConv2dInputGrad,
  depthwiseConv2dWeightGrad,
} from '../math/depthwise';
