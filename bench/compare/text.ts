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
  Side,
  SpeedComparison,
  StudyComparison,
} from './comparison';
import { cellLabel } from './studies';

/** Rows that a table may have with those that changed nothing; beyond it, only changes are shown. */
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

function countBy<T>(entries: readonly T[], keyOf: (entry: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const entry of entries) counts[keyOf(entry)] = (counts[keyOf(entry)] ?? 0) + 1;
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
  same: 'the same',
  better: 'better',
  worse: 'worse',
  undecided: 'within noise',
} as const;

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
  const counts = countBy(studies, ({ verdict }) => STUDY_VERDICTS[verdict]);
  const bits = studies.filter(({ hashes }) => hashes.changed > 0).length;
  const title = `Training, ${formatCount(studies.length)} cells: ${tally({ ...counts, 'with other bits': bits })}`;
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

function speedRow({ environment, label, a, b, ratio, verdict }: SpeedComparison): string[] {
  const times = [a, b].map((time) => formatDuration(time));
  return [environment, label, ...times, formatRatio(ratio), verdict];
}

function speedText({ speeds, margins }: Comparison, all: boolean): string | null {
  if (speeds.length === 0) return null;
  const counts = countBy(speeds, ({ verdict }) => verdict);
  const lines = [`Speed, ${formatCount(speeds.length)} timings: ${tally(counts)}`];
  for (const { environment, margin, anchors } of margins) {
    const percent = `${(100 * margin).toFixed(margin < 0.1 ? 1 : 0)}%`;
    const why =
      anchors === null
        ? ''
        : `; what does not run adal-wasm takes ×${anchors.toFixed(2)} the time, which the machine did`;
    lines.push(`  ${environment}: changes below ${percent} are within noise${why}`);
  }
  const everything = all || speeds.length <= MOST_ROWS;
  const shown = speeds.filter(
    ({ verdict }) => everything || verdict === 'faster' || verdict === 'slower',
  );
  if (shown.length === 0) return lines.join('\n');
  const columns = {
    environment: 'left',
    timing: 'left',
    A: 'right',
    B: 'right',
    'B / A': 'right',
    '': 'left',
  } as const;
  return [...lines, textTable(columns, shown.map(speedRow))].join('\n');
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

/** Returns how many of the comparisons would differ by chance alone. */
function chanceText({ studies, speeds, level }: Comparison): string | null {
  const tested =
    studies.filter(({ verdict }) => verdict !== 'same').length +
    speeds.filter(({ verdict }) => verdict !== 'too few samples').length;
  const expected = Math.round((1 - level) * tested);
  if (expected === 0) return null;
  const percent = `${formatExact(100 * level)}%`;
  return `Intervals hold with ${percent}: of ${formatCount(tested)} comparisons, about ${expected} would exclude "no change" by chance.`;
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
