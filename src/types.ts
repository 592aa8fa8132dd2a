/** Public types that belong to no single module. */

/** A learning rate: a constant, or a function of the step (1-based: the first step is 1). */
export type LearningRate = number | ((step: number) => number);
