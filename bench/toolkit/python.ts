/** Looks for a Python that has PyTorch, which is measured as a native yardstick. */
import { spawnSync } from 'node:child_process';

const PYTHONS = ['python3', '/usr/bin/python3'];

/** Returns the first Python that can import torch, the one on the path first; null without one. */
export function findPyTorch(): string | null {
  const hasTorch = (python: string): boolean =>
    spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;
  return PYTHONS.find(hasTorch) ?? null;
}
