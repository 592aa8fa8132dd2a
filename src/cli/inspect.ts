/** `adal inspect`: what a safetensors file holds, and, if it is a checkpoint of an optimizer, what that was. */
import {
  type Checkpoint,
  decodeCheckpoint,
  decodeSafetensors,
  type SafetensorsContent,
  type SafetensorsTensor,
} from '../checkpoint';
import { AdalError, DataError, type StateDict } from '../index';
import { readBytes } from './files';
import { foldedPairs, formatBytes, formatCount, formatNumber, formatPlural, printable, table } from './report';
import { normsOf, type TensorNorms } from './tensor-norms';

/** The key of the metadata that makes a file a checkpoint. */
const CHECKPOINT_KEY = 'adal_checkpoint';
/** Of a text that somebody put into a file. */
const MAX_TEXT = 300;
const RIGHT = 'right' as const;

/**
 * Prints it all. Of a file that is sound but as a checkpoint, the tensors are printed before the error is thrown.
 * @throws DataError when the file is broken
 */
export function inspect(path: string): void {
  const bytes = readBytes(path, 'a safetensors file');
  const content = orRefuse(path, () => decodeSafetensors(bytes));
  const rows = Object.entries(content.tensors).map(([name, tensor]) => describeTensor(name, tensor, content.tensors));
  rows.sort((a, b) => BY_NAME.compare(a.name, b.name));
  const elements = rows.reduce((sum, { count }) => sum + count, 0);
  const totals = [formatPlural(rows.length, 'tensor'), formatPlural(elements, 'element'), formatBytes(bytes.length)];
  console.log(`${printable(path)}: ${totals.join(', ')}`);
  const metadata = Object.entries(content.metadata).filter(([key]) => key !== CHECKPOINT_KEY);
  if (metadata.length > 0) console.log(`\n${foldedPairs(metadata.map(([key, value]) => [clip(key), clip(value)]))}`);
  if (rows.length > 0) console.log(`\n${tensorTable(rows)}`);
  for (const { name, count, norms } of rows) {
    if (norms && norms.nonFinite > 0)
      console.log(`\n${name}: ${formatCount(norms.nonFinite)} of ${formatPlural(count, 'element')} not finite`);
  }
  if (Object.hasOwn(content.metadata, CHECKPOINT_KEY)) printCheckpoint(orRefuse(path, () => decodeCheckpoint(bytes)));
}

function orRefuse<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof AdalError) throw new DataError(`${printable(path)}: ${printable(error.message)}`, { cause: error });
    throw error;
  }
}

/** "layer.2" before "layer.10". */
const BY_NAME = new Intl.Collator('en', { numeric: true });

interface TensorRow {
  readonly name: string;
  readonly dtype: string;
  readonly shape: string;
  readonly count: number;
  /** Null for codes, which are no numbers. */
  readonly norms: TensorNorms | null;
}

function describeTensor(name: string, tensor: SafetensorsTensor, all: SafetensorsContent['tensors']): TensorRow {
  const { dtype, shape, data } = tensor;
  const isCode = dtype === 'U8' && Object.hasOwn(all, `${name}.scales`);
  const sizes = shape.length === 0 ? 'scalar' : shape.join(' × ');
  return { name: printable(name), dtype, shape: sizes, count: data.length, norms: isCode ? null : normsOf(tensor) };
}

function tensorTable(rows: readonly TensorRow[]): string {
  const cells = rows.map(({ name, dtype, shape, norms }) => {
    return [name, dtype, shape, ...(norms ? [norms.l1, norms.l2, norms.max].map(formatNumber) : ['–', '–', '–'])];
  });
  return table(['tensor', 'dtype', 'shape', 'L1', 'L2', 'max'], cells, ['left', 'left', RIGHT, RIGHT, RIGHT, RIGHT]);
}

function printCheckpoint({ stateDict, extras }: Checkpoint): void {
  const { algorithm, step, options, params, groups } = stateDict;
  const names = Object.keys(params);
  const elements = names.reduce((sum, name) => sum + params[name].data.length, 0);
  const fixed = Object.entries(options ?? {}).filter(([, value]) => value !== null);
  console.log(
    `\n${foldedPairs([
      ['optimizer', `${clip(algorithm)} after ${formatPlural(Number(step), 'step')}`],
      ['parameters', `${formatCount(elements)} in ${formatPlural(names.length, 'tensor')}`],
      ...(fixed.length > 0 ? [['options', clip(flat(Object.fromEntries(fixed)))] as const] : []),
      ...Object.entries(extras).map(([key, value]) => [clip(key), clip(flat(value))] as const),
    ])}`,
  );
  if (Array.isArray(groups) && groups.length > 0) console.log(`\n${groupTable(groups)}`);
}

/** A row a group, a column a hyperparameter; what schedules are stands below. */
function groupTable(groups: StateDict['groups']): string {
  const keys = [...new Set(groups.flatMap((group) => Object.keys(group)))].filter(
    (key) => key !== 'params' && key !== 'schedule',
  );
  const rows = groups.map((group, index) => [
    String(index),
    String(group.params?.length ?? '–'),
    ...keys.map((key) => clip(key === 'lr' && group.lr === null ? 'scheduled' : flat(group[key]))),
  ]);
  const lines = [table(['group', 'tensors', ...keys.map(clip)], rows)];
  for (const [index, { schedule }] of groups.entries()) {
    if (!schedule) continue;
    lines.push(`\nlr of group ${index}: ${schedule.config ? clip(flat(schedule.config)) : 'a function of its own'}`);
    if (schedule.state) lines.push(`  its state: ${clip(flat(schedule.state))}`);
  }
  return lines.join('\n');
}

/** Plain data on one line: "a 1, b (c 2, d 3)". */
function flat(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${formatCount((value as Uint8Array).length)}`;
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'number') && value.length <= 4
      ? value.join(' ')
      : `${formatPlural(value.length, 'item')}`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'object' || value === null) return String(value);
  const told = Object.entries(value).filter(([, item]) => item !== null);
  if (told.length === 0) return 'none';
  return told.map(([key, item]) => `${key} ${isPlainObject(item) ? `(${flat(item)})` : flat(item)}`).join(', ');
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function clip(text: string): string {
  return printable(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
}
