/**
 * Reads the CPU and address-space limits of this process. In containers, services and on shared
 * machines they may be lower than what the machine has.
 */
import { builtin, isGranted } from './features';

const ROOT = '/sys/fs/cgroup';

/**
 * Returns the CPUs that the control group grants, possibly a fraction; Infinity if there is no
 * limit or it cannot be read.
 */
export function cpuQuota(): number {
  let least = Infinity;
  for (const { path, version } of ownGroups()) {
    // The limits of all parent groups apply too. In a container the path may begin outside of what
    // the process can see; its root is visible.
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
 * Returns the control groups of this process, from the lines of /proc/self/cgroup: `0::/path` in
 * version 2, `4:cpu,cpuacct:/path` in version 1.
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
 * Returns the bytes that this process may address (`ulimit -v`, common on shared machines);
 * Infinity if there is no limit or it cannot be read. Reads it on Linux only.
 */
export function addressLimit(): number {
  const [, limit = 'unlimited'] =
    /^Max address space +(\w+)/m.exec(read('/proc/self/limits')) ?? [];
  return limit === 'unlimited' ? Infinity : Number(limit);
}

/** Returns a file's text; empty if the file is missing or may not be read. */
function read(path: string): string {
  try {
    if (!isGranted({ name: 'read', path })) return '';
    return builtin<typeof import('node:fs')>('node:fs')?.readFileSync(path, 'utf8') ?? '';
  } catch {
    return '';
  }
}
