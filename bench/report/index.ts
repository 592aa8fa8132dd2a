/**
 * Renders a result as a report: one HTML file that needs no network, Markdown, or CSV. All three
 * show the same tables. Results must have been validated against the schema; the report repairs
 * nothing.
 */
import { script, scriptHash, style, styleHash } from '../build/report-page';
import { stringifyResult } from '../schema/compact';
import type { Result } from '../schema/result';
import { codeBlock, inMarkdown } from '../toolkit/markdown';
import { embedGzip, html, raw } from './html';
import { type Section, sectionHtml, sectionMarkdown, tablesOf } from './section';
import { anchorSection } from './sections/anchors';
import { claimSections } from './sections/claims';
import { comparisonSection } from './sections/comparisons';
import { correctnessSection } from './sections/correctness';
import { curveSection } from './sections/curves';
import { environmentSection } from './sections/environments';
import { ablationSection, checkMatrices, matrixSection } from './sections/matrix';
import { missingSection } from './sections/missing';
import { profileSection } from './sections/profiles';
import { scalingSection } from './sections/scaling';
import { seedSection } from './sections/seeds';
import { sensitivitySection } from './sections/sensitivity';
import { speedSection } from './sections/speed';
import { Study } from './study';
import { tableCsv } from './table';

export { parseResult } from '../suite/validate';
export { replaceSections } from '../toolkit/readme-sections';
export { readmeTables } from './readme';

/**
 * Every section that the result has something for, in reading order. @throws ResultError for a
 * result whose tables would be empty
 */
function sectionsOf(study: Study): Section[] {
  checkMatrices(study);
  const sections = [
    comparisonSection(study),
    matrixSection(study),
    ...claimSections(study),
    ablationSection(study),
    curveSection(study),
    seedSection(study),
    profileSection(study),
    sensitivitySection(study),
    speedSection(study),
    scalingSection(study),
    correctnessSection(study),
    anchorSection(study),
    environmentSection(study),
    missingSection(study),
  ];
  return sections.filter((section) => section !== null);
}

const titleOf = ({ package: { name, version } }: Result): string =>
  `${name} ${version}: benchmarks`;

/** One line of provenance. */
function originOf({ tier, date, package: { commit }, suiteVersion, shard }: Result): string {
  const part = shard.count > 1 ? `, shard ${shard.index} of ${shard.count}` : '';
  return (
    `Tier ${tier}${part}, ${date.slice(0, 10)}, commit ${commit ?? 'unknown'}, suite ` +
    `version ` +
    `${suiteVersion}.`
  );
}

/** What a reader must know before the figures. */
function warningsOf({ complete, tier, package: { commit } }: Result): string[] {
  const warnings = [
    !complete && 'This result is incomplete: jobs of its plan are missing.',
    tier === 'smoke' && 'The smoke tier only shows that the suite runs; its figures mean nothing.',
    commit?.endsWith('-dirty') && 'Measured with changes that were not committed.',
  ];
  return warnings.filter((warning) => warning !== false && warning !== undefined);
}

/**
 * Nothing is loaded, nothing is evaluated, no script but the page's own runs. Style attributes set
 * by the script need no permission.
 */
const POLICY =
  `default-src 'none'; script-src '${scriptHash}'; style-src '${styleHash}'; ` +
  `img-src data:; ` +
  `base-uri 'none'; form-action 'none'`;

/**
 * The report as one HTML file: readable on phones, paper and dark screens, without scripts too
 * (then without curves).
 * @param result checked against the schema
 * @example
 * await writeFile('report.html', renderReport(JSON.parse(await readFile('result.json', 'utf8'))));
 */
export function renderReport(result: Result): string {
  const sections = sectionsOf(new Study(result));
  const warnings = warningsOf(result);
  const commands = result.commands.map((command) => command.replace(/\n/g, ' '));
  const links = sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${titleOf(result)}</title>
<link rel="icon" href="data:,">
<style>${raw(style)}</style>
</head>
<body>
<header>
<h1>${titleOf(result)}</h1>
<p class="lead">${originOf(result)}</p>
${warnings.map((warning) => html`<p class="warning" role="note">${warning}</p>`)}
<p>To measure it again:</p>
<pre class="commands">${commands.join('\n')}</pre>
<p><button type="button" id="download">Download the result (JSON)</button></p>
<nav aria-label="Sections"><ul>${links}</ul></nav>
</header>
<main>
${sections.map(sectionHtml)}</main>
${embedGzip('result-data', stringifyResult(result))}
<script>${raw(script)}</script>
</body>
</html>
`;
  return page.markup;
}

/** The report's text and tables as Markdown; drawings are in the HTML alone. */
export function renderMarkdown(result: Result): string {
  const sections = sectionsOf(new Study(result)).map(sectionMarkdown);
  const warnings = warningsOf(result).map((warning) => `**${warning}**`);
  const head = [
    `# ${inMarkdown(titleOf(result))}`,
    inMarkdown(originOf(result)),
    ...warnings,
    `To measure it again:\n\n${codeBlock(result.commands)}`,
  ];
  return `${[...head, ...sections].join('\n\n')}\n`;
}

/** The report's tables as CSV (RFC 4180), a line a cell: table, row, column, text, value. */
export function renderCsv(result: Result): string {
  const tables = sectionsOf(new Study(result)).flatMap(tablesOf);
  const lines = ['table,row,column,text,value', ...tables.map(tableCsv).filter(Boolean)];
  return `${lines.join('\r\n')}\r\n`;
}
