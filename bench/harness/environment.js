/** What a result needs to be read later: engine, machine, date. */
import { arch, cpus, platform } from 'node:os';

export function environment() {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    runtime: `Node ${process.versions.node}`,
    engine: `V8 ${process.versions.v8}`,
    cpu: `${cpu.model.trim()} × ${cpus().length}`,
    platform: `${platform()} ${arch()}`,
  };
}
