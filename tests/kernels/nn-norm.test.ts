/** Batch and layer normalisation of the shipped nn binaries: bit for bit the reference's. */
import { beforeEach, describe, it } from 'vitest';
import { Bench } from './arena';
import { KINDS } from './values';

const bench = new Bench();
beforeEach(() => bench.reset());

const ROWS = [1, 2, 3, 17];
/** Up to two loops of eight columns, a vector, and each rest. */
const MOST_COLUMNS = 22;

describe.each(Object.entries(KINDS))('%s values', (_, make) => {
  it('batch statistics, normalisation and gradients', () => {
    for (const rows of ROWS) {
      for (let cols = 1; cols <= MOST_COLUMNS; ++cols) {
        bench.reset();
        const n = rows * cols;
        const [x, dy] = [bench.buffer(n, make(n, cols)), bench.buffer(n, make(n, 2))];
        const [gamma, beta, running, variance] = [3, 4, 5, 6].map((seed) =>
          bench.buffer(cols, make(cols, seed)),
        );
        const [mean, inv, dgamma, dbeta] = Array.from({ length: 4 }, () => bench.buffer(cols));
        const [y, dx] = [bench.buffer(n), bench.buffer(n)];
        const at = (buffer = x) => buffer.address;
        const correction = cols % 2;
        bench.run((k) =>
          k.batchStatistics(
            at(mean),
            at(inv),
            at(running),
            at(variance),
            at(x),
            rows,
            cols,
            1e-5,
            0.1,
            correction,
          ),
        );
        bench.run((k) =>
          k.batchNorm(at(y), at(x), at(mean), at(inv), at(gamma), at(beta), rows, cols),
        );
        for (const out of [dx, dy])
          bench.run((k) =>
            k.batchNormGrad(
              at(out),
              at(dgamma),
              at(dbeta),
              at(dy),
              at(x),
              at(mean),
              at(inv),
              at(gamma),
              rows,
              cols,
            ),
          );
        for (const each of [y, dx, dy]) bench.expectTidy(each, n);
        for (const each of [running, variance, mean, inv, dgamma, dbeta])
          bench.expectTidy(each!, cols);
      }
    }
  });

  it('layer normalisation and gradients', () => {
    for (const rows of ROWS) {
      for (let cols = 1; cols <= MOST_COLUMNS; ++cols) {
        bench.reset();
        const n = rows * cols;
        const [x, dy] = [bench.buffer(n, make(n, cols)), bench.buffer(n, make(n, 2))];
        const [gamma, beta] = [3, 4].map((seed) => bench.buffer(cols, make(cols, seed)));
        const [dgamma, dbeta] = [bench.buffer(cols), bench.buffer(cols)];
        const [mean, inv] = [bench.buffer(rows), bench.buffer(rows)];
        const [y, dx] = [bench.buffer(n), bench.buffer(n)];
        const at = (buffer = x) => buffer.address;
        bench.run((k) =>
          k.layerNorm(at(y), at(x), at(mean), at(inv), at(gamma), at(beta), rows, cols, 1e-5),
        );
        for (const out of [dx, dy])
          bench.run((k) =>
            k.layerNormGrad(
              at(out),
              at(dgamma),
              at(dbeta),
              at(dy),
              at(x),
              at(mean),
              at(inv),
              at(gamma),
              rows,
              cols,
            ),
          );
        for (const each of [y, dx, dy]) bench.expectTidy(each, n);
        for (const each of [dgamma, dbeta]) bench.expectTidy(each, cols);
      }
    }
  });
});
