/** A comparison as text for a terminal. */
import {
  formatCount,
  formatDuration,
  formatEstimate,
  formatExact,
  formatNumber,
  formatRatio,
} from '../report/format';
import { textTable } from '../toolkit/text-table';
import type {
  Comparison,
  EnvironmentPair,
  Margin,
  Side,
  SpeedComparison,
  SpeedVerdict,
  StudyComparison,
} from './comparison';
import { RELEVANT } from './speeds';
import { cellLabel } from './studies';

/** Most rows of a table that shows everything; a longer one shows only what changed. */
const MOST_ROWS = 60;
/** Entries of a list that are shown without `all`. */
const MOST_ENTRIES = 20;

const sideLine = (letter: string, { name, benchmark, date, version, commit }: Side): string => {
  const origin = [
    benchmark === 'suite' ? 'suite' : `bench:${benchmark}`,
    date,
    version && `adal-wasm ${version}`,
    commit && `commit ${commit}`,
  ];
  return `${letter}  ${name}: ${origin.filter(Boolean).join(', ')}`;
};

/** Joins counts that are not zero: "3 better, 2 worse". */
function tally(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.map(([what, count]) => `${formatCount(count)} ${what}`).join(', ');
}

/** Counts entries by key, in the order of `keys`. */
function countBy<T>(
  keys: readonly string[],
  entries: readonly T[],
  keyOf: (entry: T) => string,
): Record<string, number> {
  const counts = Object.fromEntries(keys.map((key) => [key, 0]));
  for (const entry of entries) counts[keyOf(entry)]!++;
  return counts;
}

function environmentText(environments: readonly EnvironmentPair[]): string {
  const lines = environments.flatMap(({ a, differences }) =>
    differences.map(
      ({ field, a: was, b: is }) =>
        `  ${a}: ${field} ${JSON.stringify(was)} → ${JSON.stringify(is)}`,
    ),
  );
  const count = environments.length;
  if (lines.length > 0) return ['Environments', ...lines].join('\n');
  return count > 0 ? `Environments: ${count}, the same in both` : 'Environments: none in common';
}

const STUDY_VERDICTS = {
  better: 'better',
  worse: 'worse',
  undecided: 'within noise',
  same: 'the same',
} as const;
const SPEED_VERDICTS: readonly SpeedVerdict[] = [
  'faster',
  'slower',
  'within noise',
  'unstable',
  'too few samples',
];

const bitsText = ({ hashes: { compared, changed } }: StudyComparison): string => {
  if (compared === 0) return '–';
  return changed === 0 ? 'same' : `${changed} of ${compared} changed`;
};

function studyRow(study: StudyComparison): string[] {
  const { cell, metric, seeds, a, b, difference, verdict, lr } = study;
  const shown = verdict === 'same' ? '0' : formatEstimate(difference);
  const note = lr ? `; lr ${formatExact(lr.a)} → ${formatExact(lr.b)}` : '';
  return [
    cellLabel(cell),
    metric,
    formatNumber(a),
    formatNumber(b),
    shown,
    String(seeds),
    bitsText(study),
    `${STUDY_VERDICTS[verdict]}${note}`,
  ];
}

function studyText(studies: readonly StudyComparison[], all: boolean): string | null {
  if (studies.length === 0) return null;
  const counts = countBy(
    Object.values(STUDY_VERDICTS),
    studies,
    ({ verdict }) => STUDY_VERDICTS[verdict],
  );
  const bits = studies.filter(({ hashes }) => hashes.changed > 0).length;
  const summary = tally({ ...counts, 'with other bits': bits });
  const title = `Training, ${formatCount(studies.length)} cells: ${summary}`;
  const everything = all || studies.length <= MOST_ROWS;
  const shown = studies.filter(
    ({ verdict, hashes }) =>
      everything || verdict === 'better' || verdict === 'worse' || hashes.changed > 0,
  );
  if (shown.length === 0) return title;
  const columns = {
    cell: 'left',
    metric: 'left',
    A: 'right',
    B: 'right',
    'B − A': 'right',
    seeds: 'right',
    bits: 'left',
    '': 'left',
  } as const;
  return `${title}\n${textTable(columns, shown.map(studyRow))}`;
}

function speedRow({ label, a, b, ratio, verdict }: SpeedComparison): string[] {
  return [label, formatDuration(a), formatDuration(b), formatRatio(ratio), verdict];
}

/** Returns what counts as noise in an environment. */
function marginText({ margin, anchors }: Margin): string {
  const percent = `${(100 * margin).toFixed(margin < 0.1 ? 1 : 0)}%`;
  const threshold = `changes below ${percent} count as noise`;
  return anchors === null || margin === RELEVANT
    ? threshold
    : `${threshold}: rows without adal-wasm changed ×${anchors.toFixed(2)} (median)`;
}

function speedText({ speeds, margins }: Comparison, all: boolean): string | null {
  if (speeds.length === 0) return null;
  const counts = countBy(SPEED_VERDICTS, speeds, ({ verdict }) => verdict);
  const lines = [`Speed, ${formatCount(speeds.length)} timings: ${tally(counts)}`];
  const notes = margins.map((each) => [each.environment, marginText(each)] as const);
  const [first] = notes;
  if (notes.every(([, note]) => note === first?.[1])) lines.push(`  ${first![1]}`);
  else lines.push(...notes.map(([environment, note]) => `  ${environment}: ${note}`));
  const everything = all || speeds.length <= MOST_ROWS;
  const shown = speeds.filter(
    ({ verdict }) => everything || verdict === 'faster' || verdict === 'slower',
  );
  if (shown.length === 0) return lines.join('\n');
  // One environment needs no column of its own.
  const several = margins.length > 1;
  const columns = {
    ...(several && { environment: 'left' as const }),
    timing: 'left',
    A: 'right',
    B: 'right',
    'B / A': 'right',
    '': 'left',
  } as const;
  const rows = shown.map((each) => [...(several ? [each.environment] : []), ...speedRow(each)]);
  return [...lines, textTable(columns, rows)].join('\n');
}

function bitText({ bits: { compared, changes } }: Comparison, all: boolean): string | null {
  if (compared === 0) return null;
  const title = `Fingerprints and streams, ${formatCount(compared)}: `;
  if (changes.length === 0) return `${title}all the same`;
  const lines = changes.map(({ label, a, b }) => {
    // A stream's values are no fingerprint: that they differ is enough.
    const values = a.length <= 40 && b.length <= 40 ? `: ${a} → ${b}` : '';
    return `${label}${values}`;
  });
  return [`${title}${formatCount(changes.length)} changed`, ...shortened(lines, all)].join('\n');
}

function shortened(lines: readonly string[], all: boolean): string[] {
  const shown = (all ? lines : lines.slice(0, MOST_ENTRIES)).map((line) => `  ${line}`);
  const left = lines.length - shown.length;
  return left > 0 ? [...shown, `  and ${formatCount(left)} more (--all shows them)`] : shown;
}

function missingText(side: string, entries: readonly string[], all: boolean): string | null {
  if (entries.length === 0) return null;
  return [`Only in ${side}: ${formatCount(entries.length)}`, ...shortened(entries, all)].join('\n');
}

/** Tells how many changes are to be expected by chance alone; null where none was found. */
function chanceText({ studies, speeds, level }: Comparison): string | null {
  const tested =
    studies.filter(({ verdict }) => verdict !== 'same').length +
    speeds.filter(({ verdict }) => verdict !== 'too few samples').length;
  const found =
    studies.some(({ verdict }) => verdict === 'better' || verdict === 'worse') ||
    speeds.some(({ verdict }) => verdict === 'faster' || verdict === 'slower');
  const expected = Math.round((1 - level) * tested);
  if (!found || expected === 0) return null;
  const percent = `${formatExact(100 * level)}%`;
  return (
    `Intervals cover the true value with a probability of ${percent}: of ${formatCount(tested)} ` +
    `comparisons, about ${formatCount(expected)} would exclude "no change" by chance.`
  );
}

/**
 * Returns a comparison as text. Must be made printable before it is shown, since names come from
 * files.
 * @param all whether to list what did not change as well
 */
export function comparisonText(comparison: Comparison, all = false): string {
  const { a, b, warnings, environments, studies, onlyA, onlyB, changed } = comparison;
  const sections = [
    `${sideLine('A', a)}\n${sideLine('B', b)}`,
    warnings.join('\n') || null,
    environmentText(environments),
    studyText(studies, all),
    bitText(comparison, all),
    speedText(comparison, all),
    missingText('A', onlyA, all),
    missingText('B', onlyB, all),
    chanceText(comparison),
    changed ? null : 'Nothing changed beyond noise.',
  ];
  return sections.filter((section) => section !== null).join('\n\n');
}
