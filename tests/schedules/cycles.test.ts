/** Schedules that go down more than once, or up and down. */
import { describe, expect, it } from 'vitest';
import {
  cosine,
  cosineWithRestarts,
  type OneCycleOptions,
  oneCycle,
  scheduleFromConfig,
} from '../../src/schedules';
import { bits } from '../math/bits';
import { refuses } from './refusals';

describe('cosineWithRestarts', () => {
  it('is the cosine over and over', () => {
    const once = cosine({ lr: 0.01, totalSteps: 10, endLr: 0.001 });
    const lr = cosineWithRestarts({ lr: 0.01, firstCycleSteps: 10, endLr: 0.001 });
    for (let t = 1; t <= 50; t++) expect(lr(t)).toBe(once(((t - 1) % 10) + 1));
    expect([1, 11, 21, 1e9 + 1].map(lr)).toEqual([0.01, 0.01, 0.01, 0.01]);
    expect(lr(10)).toBeGreaterThan(0.001);
  });

  it.each([2, 3])('lengthens its cycles %d times', (cycleFactor) => {
    const lr = cosineWithRestarts({ lr: 0.01, firstCycleSteps: 5, cycleFactor });
    let first = 1;
    for (let i = 0, steps = 5; i < 5; i++, steps *= cycleFactor) {
      const cycle = cosine({ lr: 0.01, totalSteps: steps });
      for (let k = 1; k <= steps; k++) expect(lr(first + k - 1)).toBe(cycle(k));
      first += steps;
    }
  });

  it('starts each cycle lower with decay, never below endLr', () => {
    const lr = cosineWithRestarts({ lr: 9, firstCycleSteps: 4, endLr: 1, decay: 0.5 });
    expect([1, 5, 9, 13].map(lr)).toEqual([9, 5, 3, 2]);
    expect(lr(3)).toBeCloseTo(5, 14);
    expect(lr(7)).toBeCloseTo(3, 14);
    expect(lr(4e6 + 1)).toBe(1);
  });

  it('takes cycles of one step and the largest steps and factors', () => {
    expect([1, 2, 3].map(cosineWithRestarts({ lr: 0.01, firstCycleSteps: 1 }))).toEqual([
      0.01, 0.01, 0.01,
    ]);
    const long = cosineWithRestarts({
      lr: 1,
      firstCycleSteps: 1,
      cycleFactor: Number.MAX_SAFE_INTEGER,
    });
    expect([1, 2].map(long)).toEqual([1, 1]);
    expect(long(Number.MAX_SAFE_INTEGER)).toBeCloseTo(0, 15);
    const last = cosineWithRestarts({ lr: 1, firstCycleSteps: 1, cycleFactor: 2 })(
      Number.MAX_SAFE_INTEGER,
    );
    expect(last).toBeGreaterThanOrEqual(0);
    expect(last).toBeLessThanOrEqual(1);
  });

  it('has the same bits on every engine', () => {
    const lr = cosineWithRestarts({
      lr: 0.01,
      firstCycleSteps: 10,
      cycleFactor: 2,
      endLr: 0.001,
      decay: 0.9,
    });
    expect([1, 2, 10, 11, 12, 31, 1000].map((t) => bits(lr(t)))).toEqual([
      '3f847ae147ae147b',
      '3f84076867da55ec',
      '3f53fe14d18f9e79',
      '3f82a305532617c2',
      '3f8288e0ee4b7df6',
      '3f80fa58f7121ab6',
      '3f671dbbea58d7fc',
    ]);
  });

  refuses(cosineWithRestarts, { lr: 1, firstCycleSteps: 5 }, [
    [{ lr: -1, firstCycleSteps: 5 }, /^"lr" expected/],
    [{ lr: 1 }, /^"firstCycleSteps" expected/],
    [{ lr: 1, firstCycleSteps: 5, cycleFactor: 1.5 }, /^"cycleFactor" expected an integer/],
    [{ lr: 1, firstCycleSteps: 5, cycleFactor: 0 }, /^"cycleFactor" expected/],
    [{ lr: 1, firstCycleSteps: 5, endLr: 2 }, /^"endLr" expected a number in \[0, lr = 1\], got 2/],
    [{ lr: 1, firstCycleSteps: 5, decay: 0 }, /^"decay" expected a number in \(0, 1\], got 0/],
    [{ lr: 1, firstCycleSteps: 5, decay: 1.1 }, /^"decay" expected/],
  ]);
});

/**
 * What PyTorch's OneCycleLR (two phases) gives at last_epoch = t - 1, computed from its formula in
 * Python: t and the rate.
 */
const PYTORCH: [OneCycleOptions, [number, number][]][] = [
  [
    { maxLr: 0.1, totalSteps: 100 },
    [
      [1, 0.0040000000000000036],
      [2, 0.004281378056590748],
      [15, 0.04940133238789996],
      [30, 0.1],
      [31, 0.09994965352845243],
      [65, 0.0500002],
      [99, 5.07464715475788e-5],
      [100, 4e-7],
    ],
  ],
  [
    { maxLr: 25, totalSteps: 10, endFactor: 2, shape: 'linear' },
    [
      [1, 1.0],
      [2, 13.0],
      [3, 25.0],
      [4, 21.5],
      [5, 18.0],
      [6, 14.5],
      [7, 11.0],
      [8, 7.5],
      [9, 4.0],
      [10, 0.5],
    ],
  ],
  [
    { maxLr: 25, totalSteps: 10, endFactor: 2 },
    [
      [1, 1.0],
      [2, 13.0],
      [3, 25.0],
      [4, 23.786868631804634],
      [5, 20.387750072769485],
      [6, 15.475881440964852],
      [7, 10.024118559035148],
      [8, 5.112249927230515],
      [9, 1.7131313681953668],
      [10, 0.5],
    ],
  ],
  [
    { maxLr: 1, totalSteps: 7, warmupFraction: 0.5, startFactor: 10, endFactor: 100 },
    [
      [1, 0.09999999999999998],
      [2, 0.41094235253127365],
      [3, 0.9140576474687263],
      [4, 0.9505339495172583],
      [5, 0.611649206511179],
      [6, 0.18906684397156262],
      [7, 0.001],
    ],
  ],
  [
    {
      maxLr: 1,
      totalSteps: 10,
      warmupFraction: 0.05,
      startFactor: 10,
      endFactor: 100,
      shape: 'linear',
    },
    [
      [1, 0.9474210526315789],
      [2, 0.8422631578947368],
      [3, 0.7371052631578947],
      [4, 0.6319473684210526],
      [5, 0.5267894736842105],
      [6, 0.42163157894736836],
      [7, 0.31647368421052635],
      [8, 0.21131578947368423],
      [9, 0.10615789473684212],
      [10, 0.0010000000000000009],
    ],
  ],
  [
    {
      maxLr: 1,
      totalSteps: 4,
      warmupFraction: 1,
      startFactor: 10,
      endFactor: 100,
      shape: 'linear',
    },
    [
      [1, 0.1],
      [2, 0.4],
      [3, 0.7],
      [4, 1.0],
    ],
  ],
];

describe('oneCycle', () => {
  it.each(PYTORCH)("has the values of PyTorch's OneCycleLR: %o", (options, expected) => {
    const lr = oneCycle(options);
    for (const [t, value] of expected)
      expect(Math.abs(lr(t) - value)).toBeLessThan(1e-15 * options.maxLr);
  });

  it('climbs to the peak, falls to the end and keeps it', () => {
    for (const shape of ['cosine', 'linear'] as const) {
      const lr = oneCycle({ maxLr: 0.1, totalSteps: 100, shape });
      expect(lr(1)).toBe(0.1 / 25);
      expect(lr(30)).toBe(0.1);
      for (let t = 2; t <= 30; t++) expect(lr(t)).toBeGreaterThan(lr(t - 1));
      for (let t = 31; t <= 100; t++) expect(lr(t)).toBeLessThan(lr(t - 1));
      for (const t of [100, 101, 1e9]) expect(lr(t)).toBe(0.1 / 25 / 1e4);
    }
  });

  it("moves the momentum as PyTorch's OneCycleLR does", () => {
    const at = (options: object) =>
      oneCycle({ maxLr: 0.1, totalSteps: 100, cycleMomentum: true, ...options }).momentum!;
    const expected = [
      ...([
        [1, 0.95],
        [2, 0.9497068978577179],
        [15, 0.9027069454292709],
        [30, 0.85],
      ] as const),
      ...([
        [31, 0.8500503466729342],
        [65, 0.9],
        [99, 0.9499496533270657],
        [100, 0.95],
      ] as const),
      [101, 0.95],
    ] as const;
    for (const [t, value] of expected) expect(at({})(t)).toBeCloseTo(value, 14);
    const line = at({ totalSteps: 10, shape: 'linear', maxMomentum: 0.9, minMomentum: 0.5 });
    for (let t = 1; t <= 10; t++)
      expect(line(t)).toBeCloseTo(t < 3 ? 0.9 - 0.2 * (t - 1) : 0.5 + (0.4 * (t - 3)) / 7, 14);
  });

  it('leaves the momentum alone unless told otherwise, and its config shows it', () => {
    const plain = oneCycle({ maxLr: 0.1, totalSteps: 10 });
    expect(plain.momentum).toBeUndefined();
    expect(plain.config).not.toHaveProperty('cycleMomentum');
    const { config } = oneCycle({ maxLr: 0.1, totalSteps: 10, cycleMomentum: true });
    expect(config).toMatchObject({ cycleMomentum: true, maxMomentum: 0.95, minMomentum: 0.85 });
    const again = scheduleFromConfig(JSON.parse(JSON.stringify(config)));
    expect(again.config).toEqual(config);
    expect(again.momentum?.(3)).toBe(0.85);
  });

  it('has a peak at step 1 where PyTorch divides by zero', () => {
    expect(oneCycle({ maxLr: 0.1, totalSteps: 10, warmupFraction: 0.1 })(1)).toBe(0.1);
    expect([1, 2].map(oneCycle({ maxLr: 1, totalSteps: 1, warmupFraction: 1 }))).toEqual([
      1,
      1 / 25 / 1e4,
    ]);
    expect(oneCycle({ maxLr: 1, totalSteps: 1 })(1)).toBe(1 / 25 / 1e4);
  });

  it('has the same bits on every engine', () => {
    const lr = oneCycle({ maxLr: 0.1, totalSteps: 33 });
    expect([1, 2, 9, 10, 11, 32, 33, 34].map((t) => bits(lr(t)))).toEqual([
      '3f70624dd2f1a9fc',
      '3f7c818dce07c670',
      '3fb8fc2fe8ac835e',
      '3fb9994c06264f39',
      '3fb975004163d23a',
      '3f3e487a7b9ff909',
      '3e9ad7f29abcaf48',
      '3e9ad7f29abcaf48',
    ]);
  });

  refuses(oneCycle, { maxLr: 1, totalSteps: 5 }, [
    [{ maxLr: -1, totalSteps: 5 }, /^"maxLr" expected/],
    [{ maxLr: 1, totalSteps: 0 }, /^"totalSteps" expected/],
    [
      { maxLr: 1, totalSteps: 5, warmupFraction: 1.1 },
      /^"warmupFraction" expected a number in \[0, 1\], got 1.1/,
    ],
    [
      { maxLr: 1, totalSteps: 5, startFactor: 0.5 },
      /^"startFactor" expected a number in \[1, ∞\), got 0.5/,
    ],
    [
      { maxLr: 1, totalSteps: 5, endFactor: 0.01 },
      /^"endFactor" expected a number in \[1\/startFactor = 0.04, ∞\), got 0.01/,
    ],
    [
      { maxLr: 1, totalSteps: 5, shape: 'cos' },
      /^"shape" expected 'cosine' or 'linear', got "cos"/,
    ],
    [{ maxLr: 1, totalSteps: 5, cycleMomentum: 1 }, /^"cycleMomentum" expected/],
    [
      { maxLr: 1, totalSteps: 5, maxMomentum: 0.9 },
      /^"maxMomentum" expected nothing without cycleMomentum, got 0.9/,
    ],
    [
      { maxLr: 1, totalSteps: 5, cycleMomentum: true, maxMomentum: 1 },
      /^"maxMomentum" expected a number in \[0, 1 - 2\^-25\), got 1/,
    ],
    [
      { maxLr: 1, totalSteps: 5, cycleMomentum: true, minMomentum: 0.96 },
      /^"minMomentum" expected a number in \[0, maxMomentum = 0.95\], got 0.96/,
    ],
  ]);
});
