/** Replaces files so that neither a reader nor an interrupted run ever meets half of one. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';

/**
 * Replaces a file's text, whole or not at all: writes the text to a new file beside it, and renames
 * that when it is on the disk. Follows links, and keeps the file's mode. Anything but a regular
 * file, such as a pipe, is written to directly.
 * @throws the file system's error, which names `path`; the former text is left then
 */
export function replaceText(path: string, text: string): void {
  const present = existsSync(path);
  const target = present ? realpathSync(path) : path;
  if (present && !statSync(target).isFile()) {
    writeFileSync(target, text);
    return;
  }
  const temporary = `${target}.${process.pid}-${Math.random().toString(36).slice(2, 8)}.tmp`;
  try {
    const descriptor = openSync(temporary, 'wx');
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (present) chmodSync(temporary, statSync(target).mode);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw Object.assign(error as Error, { path });
  }
}
