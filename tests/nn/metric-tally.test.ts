/** Metrics by name, against their definitions written out pair by pair and class by class. */
import { describe, expect, it } from 'vitest';
import {
  binaryCrossEntropy,
  categoricalCrossEntropy,
  createModel,
  crossEntropy,
  dense,
  evaluate,
  evaluateStream,
  type Loss,
  type MetricName,
  meanSquaredError,
} from '../../src/nn';
import { MetricTally } from '../../src/nn/metrics';
import { generator } from '../kernels/values';
import { simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const ALL = ['accuracy', 'precision', 'recall', 'f1', 'auc'] as const;
const VALUES = ['meanAbsoluteError', 'rootMeanSquaredError', 'r2'] as const;

function tallyOf(
  loss: Loss,
  size: number,
  names: readonly MetricName[],
  outputs: ArrayLike<number>,
  targets: Int32Array | Float32Array,
  positions = 1,
): MetricTally {
  const perSample = loss.kind === 'crossEntropy' ? positions : size * positions;
  const format = { name: 'output', size, positions, loss, perSample };
  const tally = new MetricTally({ inputs: [], targets: [format] }, names);
  const count = outputs.length / (size * positions);
  const half = Math.ceil(count / 2);
  const values = Float32Array.from(outputs);
  for (const [from, to] of [
    [0, half],
    [half, count],
  ] as const) {
    const output = values.subarray(from * size * positions, to * size * positions);
    tally.add({ output }, [targets.subarray(from * perSample, to * perSample)], to - from);
  }
  return tally;
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Share of pairs that are ranked right; equal scores count half. */
function pairwise(scores: number[], positive: boolean[]): number {
  let [right, pairs] = [0, 0];
  for (const [i, own] of scores.entries()) {
    for (const [j, other] of scores.entries()) {
      if (!positive[i] || positive[j]) continue;
      pairs++;
      right += own > other ? 1 : own === other ? 0.5 : 0;
    }
  }
  return right / pairs;
}

describe('over classes', () => {
  const next = generator(5);
  const [rows, classes] = [41, 4];
  const labels = Int32Array.from({ length: rows }, () => Math.floor(next() * classes));
  // Few values, so that scores are often equal.
  const outputs = Float32Array.from({ length: rows * classes }, () => Math.round(4 * next()) / 2);
  const rowOf = (i: number) => [...outputs.subarray(i * classes, (i + 1) * classes)];
  const predicted = Array.from(labels, (_, i) => rowOf(i).indexOf(Math.max(...rowOf(i))));

  it('are what their definitions say', () => {
    const tally = tallyOf(crossEntropy(), classes, ALL, outputs, labels);
    const count = (test: (i: number) => boolean) => [...labels.keys()].filter(test).length;
    const perClass = Array.from({ length: classes }, (_, k) => {
      const right = count((i) => labels[i] === k && predicted[i] === k);
      const precision = right / count((i) => predicted[i] === k);
      const recall = right / count((i) => labels[i] === k);
      const scores = [...labels.keys()].map((i) => {
        const row = rowOf(i).map((x) => Math.exp(x));
        // Equal probabilities that round apart are equal again.
        return Math.round((1e9 * row[k]!) / row.reduce((a, b) => a + b, 0));
      });
      const auc = pairwise(
        scores,
        [...labels].map((label) => label === k),
      );
      return { precision, recall, f1: (2 * precision * recall) / (precision + recall), auc };
    });
    const result = tally.result();
    expect(result.accuracy).toBe(count((i) => labels[i] === predicted[i]) / rows);
    for (const name of ['precision', 'recall', 'f1', 'auc'] as const)
      expect(result[name], name).toBeCloseTo(mean(perClass.map((each) => each[name])), 12);
    for (const name of ['precision', 'recall', 'f1'] as const)
      for (const [k, each] of perClass.entries())
        expect(tally.perClass()![name][k]).toBeCloseTo(each[name], 12);
  });

  it('take the greatest probability as the class of a target', () => {
    const targets = new Float32Array(rows * classes).fill(0.1);
    for (const [i, label] of labels.entries()) targets[i * classes + label] = 0.7;
    const own = tallyOf(categoricalCrossEntropy(), classes, ALL, outputs, targets).result();
    expect(own).toEqual(tallyOf(crossEntropy(), classes, ALL, outputs, labels).result());
  });

  it('count positions one by one, without ignored ones', () => {
    const some = labels.map((label, i) => (i % 3 === 0 ? -100 : label)).subarray(0, 40);
    const kept = [...some.keys()].filter((i) => some[i] !== -100);
    const ignoring = crossEntropy({ ignoreLabel: -100 });
    const steps = tallyOf(ignoring, classes, ALL, outputs.subarray(0, 40 * classes), some, 4);
    const rest = tallyOf(
      crossEntropy(),
      classes,
      ALL,
      kept.flatMap(rowOf),
      Int32Array.from(kept, (i) => some[i]!),
    );
    expect(steps.result()).toEqual(rest.result());
    expect(steps.result().accuracy).toBeGreaterThan(0);
  });

  it('never count NaN as right, and are null where they are undefined', () => {
    const nan = Number.NaN;
    const wrong = tallyOf(crossEntropy(), 2, ALL, [nan, 1, 1, nan, 0, 1], Int32Array.of(1, 0, 0));
    expect(wrong.result()).toEqual({ accuracy: 0, precision: 0, recall: 0, f1: 0, auc: 0 });
    const one = tallyOf(crossEntropy(), 2, ALL, [1, 0, 1, 0], Int32Array.of(0, 0));
    expect(one.result()).toEqual({ accuracy: 1, precision: 0.5, recall: 0.5, f1: 0.5, auc: null });
    const none = tallyOf(crossEntropy({ ignoreLabel: 0 }), 2, ALL, [1, 0], Int32Array.of(0));
    expect(none.result()).toMatchObject({ accuracy: null, auc: null });
  });
});

describe('over binary outputs', () => {
  it('decide at σ(x) > 0.5, output by output', () => {
    const logits = [0.5, -1, 0, 2, -0.25, 3, Number.NaN, 1];
    const targets = Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1);
    const tally = tallyOf(binaryCrossEntropy(), 2, ALL, logits, targets);
    const { accuracy, precision, recall } = tally.result();
    expect(accuracy).toBe(5 / 8);
    expect(tally.perClass()).toMatchObject({ precision: [1, 2 / 3], recall: [1 / 2, 1] });
    expect([precision, recall]).toEqual([mean([1, 2 / 3]), 0.75]);
    const alone = tallyOf(
      binaryCrossEntropy(),
      1,
      ['auc'],
      [0.5, 0, -0.25, Number.NaN, 0],
      Float32Array.of(1, 0, 1, 0, 1),
    );
    // Of 3 × 2 pairs, those with NaN are wrong: 0.5 > 0 is right, 0 = 0 half, -0.25 > 0 wrong.
    expect(alone.result().auc).toBe(1.5 / 6);
  });
});

describe('over values', () => {
  it('are what their definitions say, far from 0 too', () => {
    const next = generator(7);
    const targets = Float32Array.from({ length: 60 }, (_, i) => 1e4 * (i % 2) + next());
    const outputs = targets.map((target) => target + 0.2 * next());
    const residuals = [...outputs.keys()].map((i) => outputs[i]! - targets[i]!);
    const { meanAbsoluteError, rootMeanSquaredError, r2 } = tallyOf(
      meanSquaredError(),
      2,
      VALUES,
      outputs,
      targets,
    ).result();
    expect(meanAbsoluteError).toBeCloseTo(mean(residuals.map(Math.abs)), 12);
    expect(rootMeanSquaredError).toBeCloseTo(Math.sqrt(mean(residuals.map((r) => r * r))), 12);
    const shares = [0, 1].map((k) => {
      const of = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % 2 === k);
      const center = mean(of(targets));
      const spread = of(targets).map((target) => (target - center) ** 2);
      return 1 - mean(of(residuals).map((r) => r * r)) / mean(spread);
    });
    expect(r2).toBeCloseTo(mean(shares), 8);
    const flat = tallyOf(meanSquaredError(), 1, VALUES, [1, 2], Float32Array.of(3, 3));
    expect(flat.result()).toEqual({
      meanAbsoluteError: 1.5,
      rootMeanSquaredError: 2.5 ** 0.5,
      r2: null,
    });
  });
});

describe('evaluate', () => {
  it('has the same result in any batch size, and of any stream', async () => {
    const samples = clouds(37, 4);
    const options = { metrics: ALL, topK: 2, confusion: true };
    const chunks = function* (size: number) {
      for (let from = 0; from < 37; from += size) {
        yield {
          features: samples.features.subarray(4 * from, 4 * (from + size)),
          labels: samples.labels.subarray(from, from + size),
        };
      }
    };
    const results = await withRuntime(simd, async (runtime) => {
      const all = [];
      for (const batchSize of [1, 8, 64]) {
        const model = await createModel(runtime, { inputSize: 4, layers: [dense(3)], batchSize });
        const whole = evaluate(model, samples, options);
        for (const size of [1, 5, 37])
          expect(await evaluateStream(model, () => chunks(size), options)).toEqual(whole);
        all.push(whole);
      }
      return all;
    });
    for (const { loss, ...others } of results) {
      expect(loss).toBeCloseTo(results[0]!.loss, 6);
      expect(others).toEqual({ ...results[0]!, loss: undefined, ...others });
      expect(others.metrics).toEqual(results[0]!.metrics);
      expect(others.accuracy).toBe(others.metrics!.accuracy);
    }
  });

  it('refuses metrics that no loss has, and streams that are none', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { inputSize: 4, layers: [dense(3)] });
      const judge = (metrics: unknown) => () => evaluate(model, clouds(3, 1), { metrics } as never);
      expect(judge(['r2'])).toThrow("\"metrics[0]\" expected 'accuracy' or 'precision'");
      expect(judge('accuracy')).toThrow('"metrics" expected an array of names of metrics');
      await expect(evaluateStream(model, clouds(3, 1) as never)).rejects.toThrow('"open" expected');
      await expect(evaluateStream(model, () => [])).rejects.toThrow('"open()" expected samples');
    });
  });
});
