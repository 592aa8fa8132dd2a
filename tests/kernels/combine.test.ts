/** The optim module's `combine` over all backends, bit for bit. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRuntime, type Runtime } from '../../src/runtime/runtime';
import { Tensor } from '../../src/tensors/tensor';
import { BACKENDS, bitsOf } from '../support/backends';
import { strange } from './values';

let runtimes: Runtime[];
beforeAll(async () => {
  runtimes = await Promise.all(BACKENDS.map(({ options }) => createRuntime(options)));
});
afterAll(() => {
  for (const runtime of runtimes) runtime.dispose();
});

interface Given {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly a: number;
  readonly b: number;
  /** Where the result goes: a buffer of its own, or an operand. */
  readonly into?: 'x' | 'y';
}

/** The bits of the result and of the padding behind it on one backend; NaN as one pattern. */
function combined(runtime: Runtime, { x, y, a, b, into }: Given): Uint32Array {
  const n = x.length;
  const tensors = {
    x: new Tensor(runtime, [n]),
    y: new Tensor(runtime, [n]),
    out: new Tensor(runtime, [n]),
  };
  try {
    tensors.x.data.set(x);
    tensors.y.data.set(y);
    const out = tensors[into ?? 'out'];
    runtime.kernels.combine(out.address, tensors.x.address, tensors.y.address, n, a, b);
    const bits = bitsOf(
      new Float32Array(runtime.memory.buffer as ArrayBuffer, out.address, out.paddedLength),
    );
    return bits.map((word) => ((word & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : word));
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}

function onAll(given: Given): Float32Array {
  const [first, ...others] = runtimes.map((runtime) => combined(runtime, given));
  for (const [i, other] of others.entries()) expect(other, BACKENDS[i + 1].name).toEqual(first);
  expect(first.subarray(given.x.length).every((word) => word === 0)).toBe(true);
  return new Float32Array(first.buffer as ArrayBuffer, 0, given.x.length);
}

describe('combine', () => {
  it('is x - b·(a·x - y), each operation rounded; keeps padding zero; same bits', () => {
    const words = fc
      .uint8Array({ minLength: 4, maxLength: 160 })
      .map((bytes) => bytes.slice(0, bytes.length & ~3));
    const factor = fc.float({ noNaN: true, noDefaultInfinity: true });
    const property = (bytes: Uint8Array, a: number, b: number, into: 'x' | 'y' | undefined) => {
      const x = new Float32Array(bytes.buffer as ArrayBuffer);
      const y = x.slice().reverse();
      const f = Math.fround;
      const expected = x.map((v, i) => v - f(b * f(f(a * v) - y[i])));
      expect([...onAll({ x, y, a, b, into })]).toEqual([...expected]);
    };
    fc.assert(fc.property(words, factor, factor, fc.constantFrom('x', 'y', undefined), property), {
      numRuns: 200,
    });
  });

  it('takes factors as float32, wherever they come from', () => {
    const x = strange(100, 3);
    onAll({ x, y: x.slice().reverse(), a: 1, b: 1 / 3 });
    onAll({ x, y: x.slice().reverse(), a: 0, b: 0.1 });
  });

  it('with a = 1 and b > 0 does not move where x and y are equal', () => {
    const finite = fc.float({ min: 2 ** -149, max: 2, noNaN: true });
    const property = (values: Float32Array, b: number) => {
      expect(bitsOf(onAll({ x: values, y: values, a: 1, b }))).toEqual(bitsOf(values));
    };
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 1, maxLength: 40, noNaN: true, noDefaultInfinity: true }),
        finite,
        property,
      ),
    );
  });
});
