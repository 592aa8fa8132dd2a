import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cos, sin, TRIG_RANGE } from '../../src/math/cos';
import { exp } from '../../src/math/exp';
import { log } from '../../src/math/log';
import { pow } from '../../src/math/pow';
import { bits, ulpsApart } from './bits';

// Math.* is itself off by up to 1 ulp on some engines, so a result within 1 ulp of the truth may be
// 2 from it.
const TOLERANCE = 2;
const runs = { numRuns: 20_000 };
const finite = { noNaN: true, noDefaultInfinity: true };

function within(ours: number, theirs: number): boolean {
  return Object.is(ours, theirs) || ulpsApart(ours, theirs) <= TOLERANCE;
}

describe('log', () => {
  it('agrees with Math.log to 2 ulp over all positive numbers, and near 1', () => {
    fc.assert(
      fc.property(fc.double({ ...finite, min: 5e-324 }), (x) => within(log(x), Math.log(x))),
      runs,
    );
    fc.assert(
      fc.property(fc.double({ ...finite, min: 0.5, max: 2 }), (x) => within(log(x), Math.log(x))),
      runs,
    );
  });

  it('treats the edges as documented', () => {
    expect(log(0)).toBe(-Infinity);
    expect(log(-0)).toBe(-Infinity);
    expect(log(Infinity)).toBe(Infinity);
    expect(log(-1)).toBeNaN();
    expect(log(-Infinity)).toBeNaN();
    expect(log(NaN)).toBeNaN();
    expect(log(1)).toBe(0);
    expect(log(2)).toBe(Math.LN2);
  });

  it.each([
    [5e-324, 'c0874385446d71c3'],
    [1e-300, 'c085963447f87fb5'],
    [0.1, 'c0026bb1bbb55515'],
    [0.7, 'bfd6d3c324e13f50'],
    [1.5, '3fd9f323ecbf984c'],
    [10, '40026bb1bbb55516'],
    [12345.678, '4022d79559791e31'],
    [1.7976931348623157e308, '40862e42fefa39ef'],
  ])('log(%d) has the bits %s on every engine', (x, expected) =>
    expect(bits(log(x))).toBe(expected),
  );
});

describe('exp', () => {
  it('agrees with Math.exp to 2 ulp wherever the result is finite or subnormal', () => {
    fc.assert(
      fc.property(fc.double({ ...finite, min: -745, max: 709.7 }), (x) =>
        within(exp(x), Math.exp(x)),
      ),
      runs,
    );
    fc.assert(
      fc.property(fc.double({ ...finite, min: -1, max: 1 }), (x) => within(exp(x), Math.exp(x))),
      runs,
    );
  });

  it('treats the edges as documented', () => {
    expect(exp(0)).toBe(1);
    expect(exp(-0)).toBe(1);
    expect(exp(1)).toBe(Math.E);
    expect(exp(Infinity)).toBe(Infinity);
    expect(exp(-Infinity)).toBe(0);
    expect(exp(NaN)).toBeNaN();
    expect(exp(709.782712893384)).toBeLessThan(Infinity);
    expect(exp(709.7827128933841)).toBe(Infinity);
    expect(exp(-745.1332191019411)).toBe(5e-324);
    expect(exp(-745.1332191019412)).toBe(0);
    expect(exp(-746)).toBe(0);
  });

  it.each([
    [-745, '0000000000000001'],
    [-710.5, '0001f3c9d0fbe022'],
    [-1, '3fd78b56362cef38'],
    [-1e-9, '3fefffffff768fa1'],
    [0.1, '3ff1aec7b35a00d4'],
    [1, '4005bf0a8b145769'],
    [100, '48f3494a9b171bf5'],
    [709.7, '7fed75ae7a50ee14'],
  ])('exp(%d) has the bits %s on every engine', (x, expected) =>
    expect(bits(exp(x))).toBe(expected),
  );
});

describe('cos and sin', () => {
  it('agree with Math.* to 2 ulp up to 2^20', () => {
    const angle = fc.double({ ...finite, min: -TRIG_RANGE, max: TRIG_RANGE });
    fc.assert(
      fc.property(angle, (x) => within(cos(x), Math.cos(x)) && within(sin(x), Math.sin(x))),
      runs,
    );
  });

  it('agree with Math.* to 2 ulp at the doubles nearest their zeros', () => {
    const turns = fc.integer({ min: -667_000, max: 667_000 });
    const near = (n: number, f: (x: number) => number, g: (x: number) => number) =>
      within(f((n * Math.PI) / 2), g((n * Math.PI) / 2));
    fc.assert(
      fc.property(turns, (n) => near(n, cos, Math.cos) && near(n, sin, Math.sin)),
      runs,
    );
  });

  it('treat the edges as documented', () => {
    expect(cos(0)).toBe(1);
    expect(sin(0)).toBe(0);
    expect(cos(1)).toBe(0.5403023058681398);
    expect(sin(1)).toBe(0.8414709848078965);
    expect(cos(Math.PI)).toBe(-1);
    expect(cos(TRIG_RANGE)).not.toBeNaN();
    for (const x of [1048577, -1048577, Infinity, -Infinity, NaN]) {
      expect(cos(x)).toBeNaN();
      expect(sin(x)).toBeNaN();
    }
  });

  it.each([
    [0.1, '3fefd712f9a817c1', '3fb98eaecb8bcb2c'],
    [Math.PI / 2, '3c91a62633145c07', '3ff0000000000000'],
    [3, 'bfefae04be85e5d2', '3fc210386db6d55b'],
    [100, '3feb981dbf665fdf', 'bfe03425b78c4db8'],
    [-12345.678, '3fe6b94c3bbe24b8', '3fe687d5890974a5'],
    [1e6, '3fedf9df9906d32c', 'bfd6664b2568d867'],
    [1048576, '3fee33ada92fe2ae', '3fd526ccb2fc8656'],
  ])('cos(%d) and sin have the bits %s and %s on every engine', (x, cosine, sine) => {
    expect(bits(cos(x))).toBe(cosine);
    expect(bits(sin(x))).toBe(sine);
  });
});

describe('pow', () => {
  it('keeps its relative error bound for whole exponents', () => {
    const bound = (x: number, n: number) => {
      const truth = x ** n;
      if (truth < 1e-300 || truth > 1e300) return true;
      return Math.abs(pow(x, n) - truth) <= truth * (Math.abs(n) + 2) * 2 ** -53;
    };
    fc.assert(
      fc.property(
        fc.double({ ...finite, min: 0.01, max: 100 }),
        fc.integer({ min: -1074, max: 1074 }),
        bound,
      ),
      runs,
    );
  });

  it('keeps its relative error bound for other exponents', () => {
    const bound = (x: number, y: number) => {
      const truth = x ** y;
      if (truth < 1e-300 || truth > 1e300) return true;
      return (
        Math.abs(pow(x, y) - truth) <=
        truth * ((Math.abs(y * Math.log(x)) + 1) * 2 ** -51 + 2 ** -52)
      );
    };
    const base = fc.double({ ...finite, min: 1e-30, max: 1e30 });
    fc.assert(fc.property(base, fc.double({ ...finite, min: -9.9, max: 9.9 }), bound), runs);
  });

  it('is exact where every product is', () => {
    for (let [n, x] = [0, 1]; n <= 1023; n++, x *= 2) expect(pow(2, n)).toBe(x);
    for (let [n, x] = [0, 1]; n >= -1074; n--, x /= 2) expect(pow(2, n)).toBe(x);
    expect(pow(10, 22)).toBe(1e22);
    expect(pow(3, 33)).toBe(5559060566555523);
    expect(pow(0.9, 2)).toBe(0.81);
    expect(pow(1.25, 1)).toBe(1.25);
  });

  it('treats the edges as documented', () => {
    expect(pow(0, 2)).toBe(0);
    expect(pow(0, 0)).toBe(1);
    expect(pow(0, -1)).toBe(Infinity);
    expect(pow(0, 0.5)).toBe(0);
    expect(pow(-2, 3)).toBeNaN();
    expect(pow(NaN, 0)).toBeNaN();
    expect(pow(2, NaN)).toBeNaN();
    expect(pow(2, 1024)).toBe(Infinity);
    expect(pow(2, -1080)).toBe(0);
    expect(pow(2, 5000.5)).toBe(Infinity);
  });

  it.each([
    [0.9, 100, '3efbda056ed49422'],
    [0.999, 1000, '3fd788526411edac'],
    [2, 0.5, '3ff6a09e667f3bcc'],
    [10, -3.7, '3f2a26fd472780b6'],
    [0.1, 22, '3b5e392010175ef9'],
    [3, -5, '3f70db20a88f4696'],
  ])('pow(%d, %d) has the bits %s on every engine', (x, y, expected) =>
    expect(bits(pow(x, y))).toBe(expected),
  );
});
