/** Learning rates as pure functions of the step. */
export { constant } from './constant';
export { type CosineOptions, cosine } from './cosine';
export type { Schedule } from './schedule';
