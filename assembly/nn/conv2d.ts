/** 2-D convolution and its gradients; assembly/math/conv.ts computes them. */
export { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../math/conv';
