/** The timings in a result of a single benchmark. */
import { ResultError } from '../suite/validate';
import { SHARED } from '../train/labels';
import { isObject, type SingleRecord } from './read-result';
import type { SpeedRow } from './speeds';

/** Contenders that are the library's. */
const OWN = /wasm (simd|threads)|^adal-wasm|dead|tensor/;

/** Reads fields of a file, and says where one is not as it must be. */
class Reader {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  #fail(path: string, expected: string, value: unknown): never {
    const got = Array.isArray(value) ? 'another array' : typeof value;
    throw new ResultError(`${this.#name}: "${path}" expected ${expected}, got ${got}`);
  }

  object(value: unknown, path: string): Readonly<Record<string, unknown>> {
    return isObject(value) ? value : this.#fail(path, 'an object', value);
  }

  list(value: unknown, path: string): readonly unknown[] {
    return Array.isArray(value) ? value : this.#fail(path, 'an array', value);
  }

  text(value: unknown, path: string): string {
    return typeof value === 'string' ? value : this.#fail(path, 'text', value);
  }

  number(value: unknown, path: string): number {
    return typeof value === 'number' && value > 0 && value < Infinity
      ? value
      : this.#fail(path, 'a positive number', value);
  }

  /** An array of positive numbers, times `factor`. */
  samples(value: unknown, path: string, factor = 1): number[] {
    const list = this.list(value, path);
    return list.map((each, i) => factor * this.number(each, `${path}[${i}]`));
  }
}

type Add = (label: string, samples: readonly number[], anchor?: boolean) => void;

function addStep(record: SingleRecord, read: Reader, add: Add): void {
  for (const [size, times] of Object.entries(read.object(record.sizes, 'sizes'))) {
    for (const [name, samples] of Object.entries(read.object(times, `sizes.${size}`))) {
      const label = `${name}, ${Number(size).toLocaleString('en')}`;
      add(label, read.samples(samples, `sizes.${size}.${name}`), !OWN.test(name));
    }
  }
  for (const field of ['dead', 'layouts']) {
    for (const [name, samples] of Object.entries(read.object(record[field], field)))
      add(name, read.samples(samples, `${field}.${name}`));
  }
}

function addOptimizers(record: SingleRecord, read: Reader, add: Add): void {
  for (const [i, each] of read.list(record.optimizers, 'optimizers').entries()) {
    const { label, times } = read.object(each, `optimizers[${i}]`);
    const name = read.text(label, `optimizers[${i}].label`);
    for (const [place, samples] of Object.entries(read.object(times, `${name}.times`)))
      add(`${name}, ${place}, per parameter`, read.samples(samples, `${name}.times.${place}`));
  }
  for (const [name, samples] of Object.entries(read.object(record.rows, 'rows')))
    add(name === 'rows' ? 'step of 64 rows' : 'dense step', read.samples(samples, `rows.${name}`));
}

function addGemm(record: SingleRecord, read: Reader, add: Add): void {
  const { times } = read.object(record.peak, 'peak');
  add('peak', read.samples(times, 'peak.times'), true);
  for (const [i, each] of read.list(record.products, 'products').entries()) {
    const product = read.object(each, `products[${i}]`);
    const label = `${product.form} ${product.name}`;
    add(label, read.samples(product.times, `products[${i}].times`));
  }
}

function addTrain(record: SingleRecord, read: Reader, add: Add): void {
  for (const [i, entry] of read.list(record.measured, 'measured').entries()) {
    const path = `measured[${i}]`;
    const { workload, results } = read.object(entry, path);
    const name = read.text(read.object(workload, path).name, `${path}.workload.name`);
    for (const each of read.list(results, `${path}.results`)) {
      const result = read.object(each, `${path}.results`);
      if (result.unsupported !== undefined) continue;
      const label = read.text(result.label, `${path}.results.label`);
      // As in the benchmark's own tables: CPU time of one thread, wall time of several.
      const times = SHARED.includes(label) ? result.ns : (result.cpu ?? result.ns);
      const samples = read.samples(times, `${path} ${label}`);
      add(`${name}, ${label}`, samples, !label.startsWith('adal-wasm'));
    }
  }
}

function addColdStart(record: SingleRecord, read: Reader, add: Add): void {
  for (const [runtime, starts] of Object.entries(read.object(record.starts, 'starts'))) {
    const list = read.list(starts, `starts.${runtime}`).map((each) => read.object(each, runtime));
    for (const [field, what] of [
      ['totalMs', 'first step'],
      ['importMs', 'import'],
    ] as const) {
      const times = list.map((start) => start[field]);
      add(`${runtime}, ${what}`, read.samples(times, `starts.${runtime}.${field}`, 1e6));
    }
  }
  const threads = read.list(record.threads, 'threads');
  for (const [runtime, columns] of Object.entries(read.object(record.creations, 'creations'))) {
    for (const [i, times] of read.list(columns, `creations.${runtime}`).entries()) {
      const samples = read.samples(times, `creations.${runtime}[${i}]`, 1e6);
      add(`${runtime}, createRuntime, threads: ${threads[i]}`, samples);
    }
  }
}

const READERS = {
  step: addStep,
  optimizers: addOptimizers,
  gemm: addGemm,
  train: addTrain,
  'cold-start': addColdStart,
} as const;

/**
 * Returns all timings of a result.
 * @param name of the file, for errors
 * @throws ResultError when the result is not as its benchmark writes it
 */
export function speedsOfSingle(record: SingleRecord, name: string): SpeedRow[] {
  const rows: SpeedRow[] = [];
  const environment = record.environment.runtime;
  const add: Add = (label, samples, anchor = false) =>
    rows.push({ environment, label, samples, stable: true, anchor });
  READERS[record.benchmark](record, new Reader(name), add);
  return rows;
}
