/** Writes files atomically: neither a reader nor an interrupted run ever sees half a file. */
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Writes `content` to a new file beside `file` and renames it. If anything fails, `file` is
 * unchanged.
 * @param file path or file URL; an existing file keeps its mode
 */
export function replaceFile(file, content) {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  const beside = `${path}.${process.pid}.new`;
  try {
    writeFileSync(beside, content, { flag: 'wx', mode });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
