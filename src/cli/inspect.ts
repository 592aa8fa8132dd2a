/**
 * `adal inspect`: shows the tensors in a safetensors file and, if it is a checkpoint, the settings
 * of its optimizer.
 */
import { fstatSync, readSync } from 'node:fs';
import {
  type Checkpoint,
  decodeCheckpoint,
  decodeSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsTensorInfo,
  safetensorsHeaderEnd,
} from '../checkpoint';
import { AdalError, DataError, type StateDict } from '../index';
import { isObject } from '../validate';
import { readBytes, statOf, withFile } from './files';
import { formatBytes, formatCount, formatNumber, formatPlural } from './format';
import { print } from './output';
import { clipText, printable } from './printable';
import { foldedPairs, table } from './table';
import { createNorms, type TensorNorms } from './tensor-norms';

/** Metadata key that marks a file as a checkpoint. */
const CHECKPOINT_KEY = 'adal_checkpoint';
/** Longer texts from a file are shortened. */
const MAX_TEXT = 300;
/** The most columns of hyperparameters; no optimizer has as many. */
const MAX_COLUMNS = 32;
const RIGHT = 'right' as const;
/** Tensors are read in pieces of this size. */
const PIECE_BYTES = 2 ** 22;
/** Larger checkpoints are shown without settings, which need the whole file in memory. */
const MAX_CHECKPOINT_BYTES = 2 ** 31;
const EXPECTED = 'a safetensors file';

/** The bytes of a file, on disk, or of a pipe, in memory. */
interface Source {
  readonly size: number;
  /** Fills `target` with the bytes at a position. */
  read(target: Uint8Array, position: number): void;
  /** Returns all bytes. */
  whole(): Uint8Array;
}

/**
 * Runs the command. If a file is a valid safetensors file but not a valid checkpoint, it prints the
 * tensors before it throws.
 *
 * @throws DataError if the file is malformed
 */
export function inspect(path: string): void {
  if (statOf(path, EXPECTED).isFile())
    withFile(path, (file) => show(path, sourceOfFile(path, file)));
  else show(path, sourceOfBytes(readBytes(path, EXPECTED)));
}

function show(path: string, source: Source): void {
  const { tensors, metadata } = orRefuse(path, () => readHeader(source));
  const buffer = new Uint8Array(PIECE_BYTES);
  const rows = Object.entries(tensors).map(([name, tensor]) => {
    const isCode = tensor.dtype === 'U8' && `${name}.scales` in tensors;
    return describeTensor(name, tensor, isCode ? null : normsOf(tensor, source, buffer));
  });
  rows.sort((a, b) => BY_NAME.compare(a.name, b.name));
  const elements = rows.reduce((sum, { count }) => sum + count, 0);
  const totals = [
    formatPlural(rows.length, 'tensor'),
    formatPlural(elements, 'element'),
    formatBytes(source.size),
  ];
  print(`${printable(path)}: ${totals.join(', ')}`);
  const texts = Object.entries(metadata).filter(([key]) => key !== CHECKPOINT_KEY);
  if (texts.length > 0)
    print(`\n${foldedPairs(texts.map(([key, value]) => [clip(key), clip(value)]))}`);
  if (rows.length > 0) print(`\n${tensorTable(rows)}`);
  for (const { name, count, norms } of rows) {
    if (!norms || norms.nonFinite === 0) continue;
    const wrong = formatCount(norms.nonFinite);
    print(`\n${name}: ${wrong} of ${formatPlural(count, 'element')} not finite`);
  }
  if (!(CHECKPOINT_KEY in metadata)) return;
  if (source.size > MAX_CHECKPOINT_BYTES) {
    const most = formatBytes(MAX_CHECKPOINT_BYTES);
    print(`\nThe file is a checkpoint of more than ${most}; its settings are not shown.`);
  } else {
    printCheckpoint(orRefuse(path, () => decodeCheckpoint(source.whole())));
  }
}

function sourceOfFile(path: string, file: number): Source {
  const { size } = fstatSync(file);
  const read = (target: Uint8Array, position: number) => {
    for (let done = 0; done < target.length; ) {
      const count = readSync(file, target, done, target.length - done, position + done);
      if (count === 0)
        throw new DataError(`${path}: another program shortened it while it was read`);
      done += count;
    }
  };
  return { size, read, whole: () => readBytes(path, EXPECTED) };
}

function sourceOfBytes(bytes: Uint8Array): Source {
  const read = (target: Uint8Array, position: number) => {
    target.set(bytes.subarray(position, position + target.length));
  };
  return { size: bytes.length, read, whole: () => bytes };
}

function readHeader(source: Source): SafetensorsHeader {
  const start = new Uint8Array(Math.min(8, source.size));
  source.read(start, 0);
  const header = new Uint8Array(safetensorsHeaderEnd(start, source.size));
  source.read(header, 0);
  return decodeSafetensorsHeader(header, source.size);
}

/** Returns null for element types that are not real numbers. */
function normsOf(
  { dtype, begin, end }: SafetensorsTensorInfo,
  source: Source,
  buffer: Uint8Array,
): TensorNorms | null {
  const norms = createNorms(dtype);
  if (!norms) return null;
  for (let at = begin; at < end; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, end - at));
    source.read(piece, at);
    norms.add(piece);
  }
  return norms.norms();
}

function orRefuse<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof AdalError)
      throw new DataError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Orders "layer.2" before "layer.10". */
const BY_NAME = new Intl.Collator('en', { numeric: true });

interface TensorRow {
  readonly name: string;
  readonly dtype: string;
  readonly shape: string;
  readonly count: number;
  /** Null for quantization codes and for elements that are not real numbers. */
  readonly norms: TensorNorms | null;
}

function describeTensor(
  name: string,
  tensor: SafetensorsTensorInfo,
  norms: TensorNorms | null,
): TensorRow {
  const { dtype, shape, elementCount } = tensor;
  const sizes = shape.length === 0 ? 'scalar' : shape.join(' × ');
  return {
    name: printable(name),
    dtype: printable(dtype),
    shape: sizes,
    count: elementCount,
    norms,
  };
}

function tensorTable(rows: readonly TensorRow[]): string {
  const cells = rows.map(({ name, dtype, shape, norms }) => {
    return [
      name,
      dtype,
      shape,
      ...(norms ? [norms.l1, norms.l2, norms.max].map(formatNumber) : ['–', '–', '–']),
    ];
  });
  return table(['tensor', 'dtype', 'shape', 'L1', 'L2', 'max'], cells, [
    'left',
    'left',
    RIGHT,
    RIGHT,
    RIGHT,
    RIGHT,
  ]);
}

function printCheckpoint({ stateDict, extras }: Checkpoint): void {
  const { algorithm, step, options, params, groups } = stateDict;
  const names = Object.keys(params);
  const elements = names.reduce((sum, name) => sum + params[name].data.length, 0);
  const fixed = Object.entries(options ?? {}).filter(([, value]) => value !== null);
  print(
    `\n${foldedPairs([
      ['optimizer', `${clip(algorithm)} after ${formatPlural(Number(step), 'step')}`],
      ['parameters', `${formatCount(elements)} in ${formatPlural(names.length, 'tensor')}`],
      ...(fixed.length > 0 ? [['options', clip(flat(Object.fromEntries(fixed)))] as const] : []),
      ...Object.entries(extras).map(([key, value]) => [clip(key), clip(flat(value))] as const),
    ])}`,
  );
  if (Array.isArray(groups) && groups.length > 0) print(`\n${groupTable(groups)}`);
}

/** Formats a row per group and a column per hyperparameter, with schedules below the table. */
function groupTable(groups: StateDict['groups']): string {
  const all = [...new Set(groups.flatMap((group) => Object.keys(group)))];
  const keys = all.filter((key) => key !== 'params' && key !== 'schedule').slice(0, MAX_COLUMNS);
  const rows = groups.map((group, index) => [
    String(index),
    String(group.params?.length ?? '–'),
    ...keys.map((key) => clip(key === 'lr' && group.lr === null ? 'scheduled' : flat(group[key]))),
  ]);
  const lines = [table(['group', 'tensors', ...keys.map(clip)], rows)];
  for (const [index, { schedule }] of groups.entries()) {
    if (!schedule) continue;
    const config = schedule.config ? clip(flat(schedule.config)) : 'a custom function';
    lines.push(`\nlr of group ${index}: ${config}`);
    if (schedule.state) lines.push(`  state: ${clip(flat(schedule.state))}`);
  }
  return lines.join('\n');
}

/** Formats plain data on one line: "a 1, b (c 2, d 3)". */
function flat(value: unknown): string {
  if (ArrayBuffer.isView(value))
    return `${value.constructor.name} of ${formatCount((value as Uint8Array).length)}`;
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'number') && value.length <= 4
      ? value.join(' ')
      : `${formatPlural(value.length, 'item')}`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null) return 'none';
  if (typeof value !== 'object') return String(value);
  const told = Object.entries(value).filter(([, item]) => item !== null);
  if (told.length === 0) return 'none';
  return told
    .map(([key, item]) => `${key} ${isObject(item) ? `(${flat(item)})` : flat(item)}`)
    .join(', ');
}

function clip(text: string): string {
  return printable(clipText(text, MAX_TEXT));
}
