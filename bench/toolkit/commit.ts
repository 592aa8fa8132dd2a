/** The commit of a working tree. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Returns the first twelve digits of a working tree's commit, followed by `-dirty` when files of
 * `paths` differ from it; null without git, and for folders that are not the root of a repository.
 * @param folder root of the working tree
 * @param paths files and folders, relative to `folder`
 */
export function commitOf(folder: string, paths: readonly string[]): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  if (!existsSync(join(folder, '.git'))) return null;
  try {
    const dirty = git('status', '--porcelain', '--', ...paths) !== '';
    return git('rev-parse', '--short=12', 'HEAD') + (dirty ? '-dirty' : '');
  } catch {
    return null;
  }
}
