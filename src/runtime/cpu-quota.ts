/**
 * What this process is granted, which in containers, services and on shared machines may be less
 * than what shows.
 */
import { builtin, isGranted } from './features';

const ROOT = '/sys/fs/cgroup';

/** CPUs granted, which need not be whole; Infinity where there is no limit or none can be read. */
export function cpuQuota(): number {
  let least = Infinity;
  for (const { path, version } of ownGroups()) {
    // A group is limited by those it lies in as well. In a container its path may begin outside of
    // what can be seen: the root is.
    for (let folder = path; ; folder = folder.slice(0, folder.lastIndexOf('/'))) {
      least = Math.min(
        least,
        version === 2 ? quotaV2(`${ROOT}${folder}`) : quotaV1(`${ROOT}/cpu${folder}`),
      );
      if (folder === '') break;
    }
  }
  return least;
}

/**
 * Where /proc says that this process is: lines `0::/path` of version 2, `4:cpu,cpuacct:/path` of
 * version 1.
 */
function ownGroups(): { path: string; version: 1 | 2 }[] {
  const groups: { path: string; version: 1 | 2 }[] = [
    { path: '', version: 2 },
    { path: '', version: 1 },
  ];
  for (const line of read('/proc/self/cgroup').split('\n')) {
    const [, controllers, path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === '') groups.push({ path: trimmed(path), version: 2 });
    else if (controllers?.split(',').includes('cpu'))
      groups.push({ path: trimmed(path), version: 1 });
  }
  return groups;
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

function quotaV2(folder: string): number {
  const [limit, period] = read(`${folder}/cpu.max`).trim().split(' ');
  return limit && limit !== 'max' ? Number(limit) / Number(period) : Infinity;
}

function quotaV1(folder: string): number {
  const quota = Number(read(`${folder}/cpu.cfs_quota_us`));
  return quota > 0 ? quota / Number(read(`${folder}/cpu.cfs_period_us`)) : Infinity;
}

/**
 * Bytes that this process may address (`ulimit -v`, common on shared machines); Infinity where
 * there is no limit or it cannot be read. Linux only: elsewhere nobody sets one.
 */
export function addressLimit(): number {
  const [, limit = 'unlimited'] =
    /^Max address space +(\w+)/m.exec(read('/proc/self/limits')) ?? [];
  return limit === 'unlimited' ? Infinity : Number(limit);
}

/** A file's text; empty when there is none or it may not be read. */
function read(path: string): string {
  try {
    if (!isGranted({ name: 'read', path })) return '';
    return builtin<typeof import('node:fs')>('node:fs')?.readFileSync(path, 'utf8') ?? '';
  } catch {
    return '';
  }
}
