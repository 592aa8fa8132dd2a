import type { encodeSafetensors } from '../../../src/checkpoint';

/** What inputs are put together with. */
export interface Random {
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
}

export function createMutator(encode: typeof encodeSafetensors): (random: Random) => Uint8Array;
