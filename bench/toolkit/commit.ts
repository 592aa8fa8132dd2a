/** The commit of a working tree. */
import { execFileSync } from 'node:child_process';

/**
 * Returns the first twelve digits of a working tree's commit, followed by `-dirty` when files of
 * `paths` differ from it; null without git or outside a repository.
 * @param folder any folder of the working tree
 * @param paths files and folders, relative to `folder`
 */
export function commitOf(folder: string, paths: readonly string[]): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const dirty = git('status', '--porcelain', '--', ...paths) !== '';
    return git('rev-parse', '--short=12', 'HEAD') + (dirty ? '-dirty' : '');
  } catch {
    return null;
  }
}
