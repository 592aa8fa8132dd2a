/** The oracle of assembly/math/activation.ts and dropout.ts. */
import { philoxInto } from '../../../math/philox';
import { type Arithmetic, sigmoid } from './arithmetic';
import { at, map, type OracleMemory } from './memory';

function rectifiers(memory: OracleMemory, { round }: Arithmetic) {
  return {
    relu(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => (f[at(x) + i]! < 0 ? 0 : f[at(x) + i]!));
    },
    reluGrad(dx: number, dy: number, out: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => (f[at(out) + i]! > 0 ? f[at(dy) + i]! : 0));
    },
    leakyRelu(out: number, x: number, n: number, slope: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => (f[at(x) + i]! < 0 ? f[at(x) + i]! * round(slope) : f[at(x) + i]!));
    },
    leakyReluGrad(dx: number, dy: number, out: number, n: number, slope: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) =>
        f[at(out) + i]! > 0 ? f[at(dy) + i]! : f[at(dy) + i]! * round(slope),
      );
    },
  };
}

function smooth(memory: OracleMemory, arithmetic: Arithmetic) {
  const { round, tanh } = arithmetic;
  return {
    tanh(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => tanh(f[at(x) + i]!));
    },
    tanhGrad(dx: number, dy: number, out: number, n: number): void {
      const f = memory.f32;
      map(
        f,
        at(dx),
        n,
        (i) => f[at(dy) + i]! * round(1 - round(f[at(out) + i]! * f[at(out) + i]!)),
      );
    },
    sigmoid(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => sigmoid(f[at(x) + i]!, arithmetic));
    },
    sigmoidGrad(dx: number, dy: number, out: number, n: number): void {
      const f = memory.f32;
      map(
        f,
        at(dx),
        n,
        (i) => f[at(dy) + i]! * round(f[at(out) + i]! * round(1 - f[at(out) + i]!)),
      );
    },
    silu(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => f[at(x) + i]! * sigmoid(f[at(x) + i]!, arithmetic));
    },
    siluGrad(dx: number, dy: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => {
        const v = f[at(x) + i]!;
        const sigma = sigmoid(v, arithmetic);
        return f[at(dy) + i]! * round(sigma * round(1 + round(v * round(1 - sigma))));
      });
    },
  };
}

function dropouts(memory: OracleMemory, { round }: Arithmetic) {
  const words = new Uint32Array(4);
  return {
    // biome-ignore format: one line a role
    dropout(
      out: number, x: number, n: number, threshold: number, scale: number,
      key0: number, key1: number, stream: number, step: number,
    ): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => {
        // Of each turn of 16 the words 0 of four counters come first, then their words 1, …
        philoxInto(words, 4 * Math.floor(i / 16) + (i % 4), step, stream, 0, key0, key1);
        return words[(i % 16) >> 2]! < threshold ? 0 : f[at(x) + i]! * round(scale);
      });
    },
  };
}

export function activations(memory: OracleMemory, arithmetic: Arithmetic) {
  return {
    ...rectifiers(memory, arithmetic),
    ...smooth(memory, arithmetic),
    ...dropouts(memory, arithmetic),
  };
}
