/** What every loader returns. Invariant: features.length = count·featureCount, labels.length = count, 0 ≤ label < classCount. */
import { gatherInto, gatherLabelsInto } from './batching';

/** Labelled examples of a classification task, in memory. */
export interface Dataset {
  /** What it is, for logs and reports. */
  name: string;
  /** count × featureCount values, row-major: example i begins at i·featureCount. */
  features: Float32Array;
  /** One class index in [0, classCount) an example. */
  labels: Int32Array;
  /** Examples. */
  count: number;
  /** Features an example. */
  featureCount: number;
  /** Sizes of an example that is more than a row: [height, width, channels] of images. */
  shape?: readonly number[];
  /** Classes. */
  classCount: number;
  /** The classes' names, by class index. */
  classNames?: string[];
}

/** A new dataset of some rows of another, in the order of `rows`; nothing is shared but the class names. */
export function selectRows(dataset: Dataset, rows: Uint32Array): Dataset {
  const { featureCount } = dataset;
  const features = new Float32Array(rows.length * featureCount);
  const labels = new Int32Array(rows.length);
  gatherInto(dataset.features, featureCount, rows, 0, rows.length, features);
  gatherLabelsInto(dataset.labels, rows, 0, rows.length, labels);
  return { ...dataset, features, labels, count: rows.length };
}
