/** The comparisons that were listed before anything ran, which are the only ones tested. */
import type { ListedComparison, Workload } from '../../schema/result';
import { type Estimate, FEWEST_FOR_TEST, holm, signedRank } from '../../toolkit/statistics';
import { formatEstimate, formatP, formatShare, NONE } from '../format';
import { firstBy, keyOfNames } from '../group';
import type { Section } from '../section';
import type { Comparison, Study } from '../study';
import { type Cell, checkCells, type Table, type Tone } from '../table';

export interface Tested {
  listed: ListedComparison;
  workload: Workload;
  comparison: Comparison;
  /** Adjusted within its family; null with too few seeds for a test. */
  p: number | null;
  tone: Tone;
}

const LEVEL = 0.05;

/**
 * Every listed comparison on every workload that both ran on, each tested together with its own
 * other workloads.
 */
export function testedComparisons(study: Study): Tested[] {
  return study.result.comparisons.flatMap((listed) => testedFamily(study, listed));
}

/**
 * A listed comparison is one question, asked before anything ran: is a better than b under this
 * schedule? Its family are the workloads on which one could find so by chance; so the chance of any
 * false finding in an answer stays below the level. All questions in one family would be stricter
 * than the seeds of the larger workloads allow: ten that all agree give p = 2⁻⁹, which forty rows
 * make ¹⁄₁₃.
 */
function testedFamily(study: Study, listed: ListedComparison): Tested[] {
  const workloads = study.workloadsOf(listed);
  const found = workloads.flatMap((workload) => {
    const comparison = study.compare(workload, listed.a, listed.b, listed);
    return comparison ? [{ listed, workload, comparison }] : [];
  });
  const testable = found.filter(({ comparison }) => comparison.seeds.length >= FEWEST_FOR_TEST);
  const adjusted = holm(testable.map(({ comparison }) => signedRank(comparison.differences).p));
  const pOf = new Map(testable.map((each, i) => [each, adjusted[i]!]));
  return found.map((each) => {
    const p = pOf.get(each) ?? null;
    const significant = p === null || p < LEVEL;
    return { ...each, p, tone: significant ? each.comparison.tone : 'undecided' };
  });
}

/** A finding in words: no winner without a difference, and none without an interval. */
export function findingOf(tone: Tone, { interval }: Estimate): string {
  if (interval === null) return 'not to be said: too few seeds';
  return tone === 'better' ? 'better' : tone === 'worse' ? 'worse' : 'no difference shown';
}

export function comparisonRow(
  study: Study,
  { listed, workload, comparison, p, tone }: Tested,
): Cell[] {
  const { difference, improvement, seeds } = comparison;
  const conditions = study.nameOf(listed);
  return [
    { text: `${study.label(listed.a)} against ${study.label(listed.b)}`, heading: true },
    {
      text: `${workload.id}, ${conditions}`,
      note: `${workload.metric.name}; ${workload.metric.direction} is better`,
    },
    { text: findingOf(tone, difference), tone },
    { text: formatEstimate(difference), sort: finite(difference.value) },
    {
      text: formatShare(improvement.value),
      note: improvement.interval ? `[${improvement.interval.map(formatShare).join(', ')}]` : '',
      sort: improvement.value,
    },
    { text: p === null ? NONE : formatP(p), sort: p },
    { text: String(seeds.length), sort: seeds.length },
  ];
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

export function comparisonSection(study: Study): Section | null {
  const tested = testedComparisons(study);
  if (tested.length === 0) return null;
  const few = tested.some(({ p }) => p === null);
  return {
    id: 'comparisons',
    title: 'The comparisons listed beforehand',
    parts: [
      'Each pair ran the same seeds: the same first weights, order and split. The difference ' +
        'is the median over the seeds, with its 95% bootstrap interval. The probability of ' +
        'improvement is the chance that a run of the first beats a run of the second; 50% ' +
        'says neither.',
      `p is Wilcoxon's signed-rank test on the differences, counted out exactly, and corrected ` +
        `after Holm over the workloads of a comparison: each comparison is a question of its ` +
        `own, and there are ${study.result.comparisons.length}. A row names a better one ` +
        `only if the interval excludes zero and, where there is a p, it is below ` +
        `${LEVEL}.${
          few
            ? ` With fewer than ${FEWEST_FOR_TEST} seeds there is no p: none ` +
              `could be ` +
              `small.`
            : ''
        }`,
      {
        id: 'comparisons-table',
        caption: 'Primary figure, first minus second, median [95% interval]',
        columns: [
          { label: 'comparison' },
          { label: 'workload' },
          { label: 'the first is' },
          { label: 'difference', align: 'right' },
          { label: 'improvement', align: 'right' },
          { label: 'p (Holm)', align: 'right' },
          { label: 'seeds', align: 'right' },
        ],
        rows: tested.map((each) => comparisonRow(study, each)),
      },
    ],
  };
}

/** The same, short: a row a workload, a column a comparison. Null without any. */
export function comparisonOverview(study: Study): Table | null {
  const tested = testedComparisons(study);
  if (tested.length === 0) return null;
  const nameOf = ({ listed }: Tested): string =>
    `${study.label(listed.a)} against ${study.label(listed.b)}, ${study.nameOf(listed)}`;
  const names = [...new Set(tested.map(nameOf))];
  const workloads = [...new Set(tested.map(({ workload }) => workload))];
  const byPlace = firstBy(tested, (each) => keyOfNames(each.workload.id, nameOf(each)));
  checkCells('the comparisons', names.length * workloads.length, tested.length);
  return {
    id: 'comparisons-overview',
    caption:
      'Median difference over the seeds ± its 95% interval. "Better" and "worse" mean that the ' +
      'interval excludes zero and that, with enough seeds for it, the signed-rank test agrees ' +
      '(Holm-corrected over the workloads)',
    columns: [{ label: 'workload' }, ...names.map((label) => ({ label }))],
    rows: workloads.map((workload) => {
      const cells = names.map((name): Cell => {
        const here = byPlace.get(keyOfNames(workload.id, name));
        if (!here) return { text: NONE, tone: 'absent' };
        const { comparison, tone } = here;
        return {
          text: findingOf(tone, comparison.difference),
          note: formatEstimate(comparison.difference),
          tone,
        };
      });
      return [{ text: `${workload.id} ${workload.metric.name}`, heading: true }, ...cells];
    }),
  };
}
