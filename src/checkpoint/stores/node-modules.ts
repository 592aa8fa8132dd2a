/**
 * The modules of Node that `fileStore` needs, loaded without an import that bundlers for browsers
 * would follow.
 */
import { UnsupportedError } from '../../errors';

/** Built into Node, Deno and Bun. */
export interface NodeModules {
  readonly fs: typeof import('node:fs/promises');
  readonly fsSync: typeof import('node:fs');
  readonly path: typeof import('node:path');
  readonly os: typeof import('node:os');
  readonly crypto: typeof import('node:crypto');
  readonly threads: typeof import('node:worker_threads');
  readonly process: NodeJS.Process;
}

/** @throws UnsupportedError where there is no file system */
export function nodeModules(): NodeModules {
  const load = <T>(id: string): T => {
    const module = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.(id);
    if (!module)
      throw new UnsupportedError(`fileStore needs ${id}, which this engine does not have`);
    return module as T;
  };
  return {
    fs: load('node:fs/promises'),
    fsSync: load('node:fs'),
    path: load('node:path'),
    os: load('node:os'),
    crypto: load('node:crypto'),
    threads: load('node:worker_threads'),
    process,
  };
}

/** The `code` of an error of the file system. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
