/**
 * The built-in modules that `fileStore` needs, loaded without an import that bundlers for browsers
 * would follow.
 */
import { UnsupportedError } from '../../errors';

/** Modules that Node, Deno and Bun have built in. */
export interface NodeModules {
  readonly fs: typeof import('node:fs/promises');
  readonly fsSync: typeof import('node:fs');
  readonly path: typeof import('node:path');
  readonly os: typeof import('node:os');
  readonly crypto: typeof import('node:crypto');
  readonly threads: typeof import('node:worker_threads');
  readonly process: NodeJS.Process;
}

/** Loads the modules. @throws UnsupportedError if the runtime does not have them */
export function nodeModules(): NodeModules {
  const load = <T>(id: string): T => {
    const module = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.(id);
    if (!module)
      throw new UnsupportedError(`fileStore needs ${id}, which this runtime does not have`);
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

/** Returns the `code` of a file system error. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
