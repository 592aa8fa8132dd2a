/** The yardsticks of assembly/yardsticks.ts, which the build compiles beside this module. */
import { readFile } from 'node:fs/promises';

export interface Yardsticks {
  /** Adds g to m, v and p: 4 reads and 3 writes per element. Arguments are byte addresses. */
  triad(p: number, g: number, m: number, v: number, length: number): void;
  /** Does 192 multiplications and additions per iteration, in registers. */
  multiplyAdd(iterations: number): number;
}

/** Instantiates the yardsticks on a memory. */
export async function loadYardsticks(memory: WebAssembly.Memory): Promise<Yardsticks> {
  const code = await readFile(new URL('./yardsticks.wasm', import.meta.url));
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  return instance.exports as unknown as Yardsticks;
}
