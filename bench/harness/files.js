/** Writing what was measured. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Replaces a file whole or not at all: the text is written beside it, and takes its place then. */
export function replaceFile(path, text) {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
