/**
 * Runs jobs on Cloudflare's workerd, which npm's miniflare starts: a process of Node passes them on
 * to a Worker.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Places, ProcessLane } from './processes';
import type { Runner } from './runner';

/** Older ones lack what miniflare needs. */
const MIN_NODE = 22;
const NODES = [24, 26, 22];

export function workerdRunner({ child, data, runtimes }: Places): Runner {
  const installed = (path: string): string | null => {
    const file = fileURLToPath(new URL(path, runtimes));
    return existsSync(file) ? file : null;
  };
  const node = (): string | null => {
    if (Number.parseInt(process.versions.node, 10) >= MIN_NODE) return process.execPath;
    return (
      NODES.map((major) => installed(`node-${major}/bin/node`)).find((file) => file !== null) ??
      null
    );
  };
  const host = fileURLToPath(new URL('workerd-host.js', child));
  return {
    name: 'workerd',
    missing() {
      if (!installed('miniflare')) return 'workerd: miniflare is not installed here';
      return node() ? null : `workerd: miniflare needs Node ${MIN_NODE} or newer, and none is here`;
    },
    open: async (count) =>
      Array.from(
        { length: count },
        () => new ProcessLane(node()!, [host, data.href, runtimes.href]),
      ),
  };
}
