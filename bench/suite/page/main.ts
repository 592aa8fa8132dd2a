/**
 * The page that runs the suite: it starts a run, shows its progress, and downloads the result.
 * ?workloads=W3,E1&optimizers=adal,adam&seeds=2 selects, as options of the command line do. With
 * #driven, a runner gives the page its jobs.
 */
import { version } from 'adal-wasm/package.json';
import type { Result } from '../../schema/result';
import { parseFilters } from '../filters';
import { ResultStore } from '../store';
import { planStudy } from '../study/plan';
import { blankResult, jobsFor, PARTS, type Part, type StudySettings, type Task } from '../tasks';
import type { Tier } from '../types';
import { beDriven } from './driven';
import { PageLane } from './page-lane';

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const [start, stop, download] = ['start', 'stop', 'download'].map((id) =>
  find<HTMLButtonElement>(id),
);
const [status, progress] = [find('status'), find<HTMLProgressElement>('progress')];

const show = (text: string): void => {
  status.textContent = text;
};

function settingsFromForm(): StudySettings {
  const form = new FormData(find<HTMLFormElement>('form'));
  const query = new URLSearchParams(location.search);
  return {
    tier: form.get('tier') as Tier,
    parts: PARTS.filter((part) => form.getAll('parts').includes(part)) as Part[],
    filters: parseFilters({
      workloads: query.get('workloads'),
      optimizers: query.get('optimizers'),
      seeds: query.get('seeds'),
    }),
    shard: { index: 1, count: 1 },
    command: document.URL,
    package: { name: 'adal-wasm', version, commit: null },
  };
}

async function run(settings: StudySettings, signal: AbortSignal): Promise<ResultStore> {
  const cells = planStudy(settings.tier, settings.filters);
  const store = new ResultStore(blankResult(settings, cells));
  let lane = new PageLane();
  let environment = '';
  await lane.execute({ kind: 'environment' }, (entry) => {
    store.add(entry);
    if (entry.type === 'environment') environment = entry.value.id;
  });
  const { shared, alone } = jobsFor(settings, cells, store, environment, true);
  const tasks = [...shared, ...alone];
  const total = tasks.reduce((sum, { weight }) => sum + weight, 0);
  const begin = Date.now();
  let [done, failures] = [0, 0];
  for (const task of tasks) {
    if (signal.aborted) break;
    showProgress(task, done / total, begin);
    try {
      await lane.execute(task.job, (entry) => store.add(entry));
    } catch (error) {
      failures++;
      console.error(task.title, error);
      await lane.close();
      lane = new PageLane();
    }
    done += task.weight;
    draw(store.result);
  }
  await lane.close();
  store.result.complete = failures === 0 && !signal.aborted;
  const why = signal.aborted ? 'stopped' : `${failures} jobs failed`;
  show(`${store.result.complete ? 'Complete' : `Incomplete: ${why}`}. The result is ready.`);
  progress.value = 1;
  return store;
}

function showProgress({ title }: Task, part: number, begin: number): void {
  const seconds = part > 0 ? Math.round(((Date.now() - begin) * (1 - part)) / part / 1000) : null;
  progress.value = part;
  show(
    `${title}${seconds === null ? '' : `: ${Math.floor(seconds / 60)} min ${seconds % 60} s left`}`,
  );
}

/** Steps measured so far: nanoseconds a parameter, the median. */
function draw({ micro, training }: Result): void {
  const rows = micro
    .filter(
      ({ benchmark, status, variant }) =>
        benchmark.startsWith('step-') && status === 'ok' && variant === 'resident',
    )
    .map(({ benchmark, implementation, n, layout, gradients, samples }) => {
      const median = [...samples].sort((a, b) => a - b)[samples.length >> 1];
      return [
        benchmark.slice(5),
        implementation,
        n.toLocaleString('en'),
        layout,
        gradients,
        (median / n).toFixed(2),
      ];
    });
  find('counts').textContent = `${training.runs.length} training runs, ${micro.length} timings`;
  find('rows').replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement('tr');
      row.append(
        ...cells.map((text) => Object.assign(document.createElement('td'), { textContent: text })),
      );
      return row;
    }),
  );
}

function save({ result }: ResultStore): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(result)], { type: 'application/json' }));
  const name = `adal-${result.tier}-${result.environments[0].id}.json`;
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

let store: ResultStore | null = null;
download.addEventListener('click', () => store && save(store));
start.addEventListener('click', async () => {
  const abort = new AbortController();
  stop.onclick = () => abort.abort();
  [start.disabled, stop.disabled, download.disabled] = [true, false, true];
  try {
    store = await run(settingsFromForm(), abort.signal);
    download.disabled = false;
  } catch (error) {
    show(`Failed: ${error}`);
  }
  [start.disabled, stop.disabled] = [false, true];
});

if (location.hash === '#driven') beDriven(show).catch((error) => show(`Failed: ${error}`));
