/** The machines and runtimes of the measurements: one card per runtime. */
import type { Environment } from '../../schema/result';
import { formatDuration, formatNumber } from '../format';
import type { Section } from '../section';
import type { Study } from '../study';

function entriesOf(environment: Environment): [string, string][] {
  const {
    engine,
    os,
    arch,
    cpu,
    cores,
    memoryBytes,
    isolated,
    backend,
    threads,
    threadsReason,
    timerTickMs,
    date,
    warnings,
  } = environment;
  const entries: [string, string | null][] = [
    ['engine', engine],
    ['system', `${os} ${arch}`],
    ['processor', `${cpu ?? 'not told'} × ${cores}`],
    ['memory', memoryBytes === null ? 'not told' : `${formatNumber(memoryBytes / 2 ** 30, 1)} GiB`],
    ['backend', `${backend}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`],
    ['why', threadsReason],
    [
      'isolated',
      isolated === null ? null : isolated ? 'yes' : 'no: no shared memory, coarse timer',
    ],
    [
      'timer tick',
      timerTickMs === 0
        ? 'none: the clock stands still while code runs'
        : formatDuration(timerTickMs * 1e6),
    ],
    ['measured', date.slice(0, 16).replace('T', ' ')],
    ['warnings', warnings.length ? warnings.join('; ') : null],
  ];
  return entries.filter((entry): entry is [string, string] => entry[1] !== null);
}

export function environmentSection({ result }: Study): Section {
  const cards = result.environments.map((each) => ({
    title: `${each.runtime} ${each.version}`,
    entries: entriesOf(each),
  }));
  return { id: 'environments', title: 'Where it was measured', parts: [{ cards }] };
}
