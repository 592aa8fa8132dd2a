/**
 * Reading data files where there is a file system: Node, Deno, Bun. No static import of a Node
 * module, so that bundles for browsers, which never call this, need no stub.
 */
import { DataError, UnsupportedError } from '../errors';
import { checkOptions, fail } from '../validate';
import type { Dataset } from './dataset';
import { type IdxArray, idxDataset, parseIdx } from './idx';

/** Options of `loadIdxFolder`. */
export interface IdxFolderOptions {
  /**
   * Labels must be below it: a whole number in [1, 256].
   * @default 10
   */
  classCount?: number;
  /** Names of the classes, `classCount` of them. */
  classNames?: readonly string[];
}

/** The largest file that is unpacked: four times MNIST's training images would fit. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Reads the four files of MNIST, Fashion-MNIST and others of their layout; features are the pixels
 * divided by 255.
 *
 * `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
 * `t10k-labels-idx1-ubyte`, each as such or with `.gz`, at most 256 MiB unpacked.
 *
 * @param folder path of the folder that holds them
 * @returns the two parts as the files give them
 * @throws DataError when a file is missing, unreadable or malformed, or the files do not fit each
 * other
 * @throws ArgumentError for options out of range
 * @throws UnsupportedError where there is no file system
 * @example
 * const { train, test } = loadIdxFolder('/usr/share/datasets/fashion-mnist');
 */
export function loadIdxFolder(
  folder: string,
  options: IdxFolderOptions = {},
): { train: Dataset; test: Dataset } {
  if (typeof folder !== 'string' || folder === '') fail('folder', 'the path of a folder', folder);
  checkOptions('options', options, ['classCount', 'classNames']);
  const { classCount = 10, classNames } = options;
  const path = builtin('node:path');
  const load = (part: string) => {
    const images = readIdx(path.join(folder, `${part}-images-idx3-ubyte`));
    const labels = readIdx(path.join(folder, `${part}-labels-idx1-ubyte`));
    return idxDataset(images, labels, { name: path.join(folder, part), classCount, classNames });
  };
  const parts = { train: load('train'), test: load('t10k') };
  if (parts.train.featureCount !== parts.test.featureCount) {
    const [expected, got] = [parts.train.featureCount, parts.test.featureCount];
    throw new DataError(
      `${parts.test.name} images: expected ${expected} pixels, as ${parts.train.name} images have, got ${got}`,
    );
  }
  return parts;
}

/** Reads and parses one file, or its compressed twin. */
function readIdx(file: string): IdxArray {
  const fs = builtin('node:fs');
  const found = [file, `${file}.gz`].find((candidate) => fs.existsSync(candidate));
  if (!found) throw new DataError(`${file}: no such file, and no ${file}.gz`);
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(found);
    if (found.endsWith('.gz'))
      bytes = builtin('node:zlib').gunzipSync(bytes, { maxOutputLength: MAX_FILE_BYTES });
  } catch (cause) {
    throw new DataError(
      `${found}: cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
  return parseIdx(bytes, found);
}

interface Builtins {
  'node:fs': typeof import('node:fs');
  'node:path': typeof import('node:path');
  'node:zlib': typeof import('node:zlib');
}

function builtin<K extends keyof Builtins>(id: K): Builtins[K] {
  const module =
    typeof process === 'undefined' ? undefined : process.getBuiltinModule?.(id as string);
  if (!module)
    throw new UnsupportedError(`reading files needs ${id}, which this engine does not have`);
  return module as unknown as Builtins[K];
}
