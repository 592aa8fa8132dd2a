/** Files written so that a reader, or an interrupted run, never meets half of one. */
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Writes `content` to a new file beside `file` and renames it. If anything fails, `file` is as it
 * was.
 * @param file path or file URL; a file that is there keeps its mode
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
