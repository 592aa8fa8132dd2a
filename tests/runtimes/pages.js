/** Runs the suite on pages of one browser and returns the rows of the table. */
import { runTasks } from './browsers.js';
import { CYCLES, checkLifetimes } from './lifetimes.js';

const FRAMES_MS = 3000;
const FALLBACKS = ['plain', 'isolated', 'csp-no-blob', 'csp-no-workers', 'csp-no-wasm'];

/** A row each: where the suite runs, under which headers, and with which threads. */
const PLACES = [
  { place: 'isolated page', headers: 'readme', task: 'suite', configurations: ['oracle', 1, 2, 4] },
  {
    place: 'isolated page, in a worker',
    headers: 'readme',
    task: 'suite in a worker',
    configurations: [1, 2, 4],
  },
  { place: 'page not isolated', headers: 'plain', task: 'suite', configurations: ['oracle', 1] },
  {
    place: 'page not isolated, in a worker',
    headers: 'plain',
    task: 'suite in a worker',
    configurations: [1],
  },
];

function listTasks() {
  const suites = PLACES.flatMap(({ headers, task, configurations }) =>
    configurations.map((argument) => ({ headers, task, argument })),
  );
  const fallbacks = FALLBACKS.map((headers) => ({ headers, task: 'fallbacks', argument: headers }));
  const measurements = [
    { headers: 'isolated', task: 'frames', argument: FRAMES_MS },
    { headers: 'isolated', task: 'lifetimes', argument: CYCLES },
  ];
  return [...suites, ...fallbacks, ...measurements];
}

/** Returns all rows of one browser. */
export async function runBrowser(browser) {
  const missing = browser.missing();
  const empty = { cells: [], passed: 0, failures: [], notes: [] };
  if (missing) return [{ ...empty, runtime: browser.name, unavailable: missing }];
  const tasks = listTasks();
  const outcomes = await runTasks(browser, tasks);
  const rows = PLACES.map(({ place }) => ({
    ...empty,
    runtime: `${browser.name}, ${place}`,
    cells: [],
    failures: [],
  }));
  for (const [id, { value, error, agent }] of outcomes.entries()) {
    const { headers, task, argument } = tasks[id];
    const row =
      rows[
        Math.max(
          0,
          PLACES.findIndex((place) => place.task === task && place.headers === headers),
        )
      ];
    if (agent) rows[0].notes = [agent, browser.note].filter(Boolean);
    if (error) row.failures.push({ name: `${task} ${argument}`, error });
    else if (task === 'fallbacks') addChecks(row, headers, value);
    else if (task === 'frames') row.frames = value;
    else if (task === 'lifetimes') addLifetimes(row, value);
    else row.cells.push(value);
  }
  return rows;
}

function addChecks(row, headers, { passed, failures }) {
  row.passed += passed;
  row.failures.push(...failures.map(({ name, error }) => ({ name: `${headers}: ${name}`, error })));
}

function addLifetimes(row, value) {
  row.lifetimes = value;
  try {
    checkLifetimes(value);
    row.passed++;
  } catch (error) {
    row.failures.push({ name: 'lifetimes', error: String(error) });
  }
}
