/**
 * Loading of IDX files from a folder, on runtimes with a file system: Node, Deno, Bun. There is no
 * static import of a built-in module, so bundles for browsers need no stub.
 */
import { DataError, UnsupportedError } from '../errors';
import { checkOptions, fail } from '../validate';
import type { Dataset } from './dataset';
import { type IdxArray, idxDataset, parseIdx } from './idx';

/** Options of `loadIdxFolder`. */
export interface IdxFolderOptions {
  /**
   * Number of classes, an integer in [1, 256]; labels must be below it.
   * @default 10
   */
  classCount?: number;
  /** Names of the classes, `classCount` of them. */
  classNames?: readonly string[];
}

/** The largest size of an unpacked file, about five times that of MNIST's training images. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Loads MNIST, Fashion-MNIST or another dataset with the same layout. Features are the pixels
 * divided by 255.
 *
 * The folder holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`
 * and `t10k-labels-idx1-ubyte`, each either plain or with `.gz`, and at most 256 MiB unpacked.
 *
 * @param folder path of the folder
 * @returns the training and test examples, in the order of the files
 * @throws DataError if a file is missing, unreadable or malformed, or the files do not match
 * @throws ArgumentError for options out of range
 * @throws UnsupportedError if the runtime has no file system
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
    const images = `${parts.train.name} images`;
    throw new DataError(
      `${parts.test.name} images: expected ${expected} pixels, as in ${images}, got ${got}`,
    );
  }
  return parts;
}

/** Reads and parses one file, or its `.gz` form. */
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
    throw new UnsupportedError(`reading files needs ${id}, which this runtime does not have`);
  return module as unknown as Builtins[K];
}
