/** What a run leaves to look at: the confusion table and the curves. */
import { describe, expect, test } from 'vitest';
import { formatConfusion } from '../../src/cli/confusion';
import { drawCurves } from '../../src/cli/curves';
import { formatDuration } from '../../src/cli/format';

describe('a confusion table', () => {
  test('of few classes shows all counts, and how much of each class is right', () => {
    const text = formatConfusion(
      [
        [9, 1, 0],
        [0, 4, 0],
        [0, 0, 0],
      ],
      ['cat', 'dog', 'bird\u001b'],
    );
    expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['actual ↓ predicted →', 'cat', 'dog', '"bird\\u001b"', 'correct'],
      [expect.stringMatching(/^─+$/)],
      ['cat', '9', '1', '·', '90.00%'],
      ['dog', '·', '4', '·', '100.00%'],
      ['"bird\\u001b"', '·', '·', '·', '–'],
    ]);
  });

  test('examples without a prediction count as wrong', () => {
    const confusion = [
      [3, 0],
      [0, 0],
    ];
    const lines = formatConfusion(confusion, ['cat', 'dog'], [4, 2]).split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['actual ↓ predicted →', 'cat', 'dog', 'NaN', 'correct'],
      [expect.stringMatching(/^─+$/)],
      ['cat', '3', '·', '1', '75.00%'],
      ['dog', '·', '·', '2', '0.00%'],
    ]);
    const many = Array.from({ length: 30 }, () => new Array<number>(30).fill(0));
    many[1]![0] = 1;
    const text = formatConfusion(many, undefined, [1, 4, ...new Array<number>(28).fill(0)]);
    expect(text).toContain('25.00%');
    expect(text).toContain('4 examples have no prediction, since their outputs are NaN');
  });

  test('of many classes lists the ten most frequent mistakes', () => {
    const confusion = Array.from({ length: 30 }, (_, actual) =>
      Array.from({ length: 30 }, (_, other): number => (other === actual ? 10 : 0)),
    );
    expect(formatConfusion(confusion)).toBe('no mistakes');
    for (let i = 0; i < 29; i++) confusion[i][i + 1] = i;
    const lines = formatConfusion(confusion)
      .split('\n')
      .slice(2)
      .map((line) => line.trim().split(/ {2,}/));
    expect(lines).toHaveLength(10);
    expect(lines[0]).toEqual(['28', '29', '28', '73.68%']);
  });
});

describe('curves', () => {
  const epochs = (count: number, loss: (epoch: number) => number) =>
    Array.from({ length: count }, (_, i) => ({
      epoch: i + 1,
      trainLoss: loss(i),
      testLoss: loss(i) + 0.1,
      testAccuracy: 1 - 1 / (i + 2),
      skippedSteps: 0,
    }));
  const coordinates = (svg: string) =>
    [...svg.matchAll(/(?:d|cx|cy|x|y|width|height)="([^"]*)"/g)].map((match) => match[1]);

  test.each([
    ['one epoch', epochs(1, () => 2)],
    ['equal losses', epochs(3, () => 0)],
    ['losses over decades', epochs(30, (i) => 2 * 0.5 ** i)],
    ['thousands of epochs', epochs(5000, (i) => 1 / (i + 1))],
    ['a loss that is not a number', epochs(4, (i) => (i === 2 ? Number.NaN : 1))],
    ['no finite loss', epochs(2, () => Number.NaN)],
    ['negative losses', epochs(3, (i) => -i)],
  ])('of %s are drawn with finite coordinates', (_name, results) => {
    const svg = drawCurves({ title: 'a', epochs: results, accuracy: true })!;
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(coordinates(svg).join(' ')).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg.length).toBeLessThan(40_000);
    expect(svg.match(/<g /g)).toHaveLength(2);
    const ticks = [...svg.matchAll(/text-anchor="end"[^>]*>([^<]*)</g)];
    expect(ticks.length).toBeGreaterThan(1);
    for (const [, tick] of ticks) expect(tick.length).toBeLessThanOrEqual(6);
  });

  test('have one panel without accuracy, and are nothing without an epoch', () => {
    expect(
      drawCurves({ title: '', epochs: epochs(2, () => 1), accuracy: false })!.match(/<g /g),
    ).toHaveLength(1);
    expect(drawCurves({ title: '', epochs: [], accuracy: true })).toBeNull();
  });

  test('show names of files as text', () => {
    const svg = drawCurves({
      title: '<script>&"\u0000',
      epochs: epochs(1, () => 1),
      accuracy: false,
    })!;
    expect(svg).toContain('&lt;script&gt;&amp;&quot;\\u{0}');
    expect(svg).not.toContain('<script>');
  });
});

test.each([
  [12, '12 ms'],
  [999.6, '1.0 s'],
  [99_900, '99.9 s'],
  [119_990, '2 min 0 s'],
  [239_990, '4 min 0 s'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
