/**
 * Datasets: embedded digits, readers of IDX, CSV and text, splitting, standardization, batching.
 *
 * @module adal-wasm/data
 */
export { BatchOrder, gatherLabelsInto, gatherRowsInto } from './batching';
export { type CsvOptions, type CsvRegressionOptions, parseCsv } from './csv';
export { type Dataset, type DatasetBase, type RegressionDataset, selectRows } from './dataset';
export { loadDigits } from './digits';
export { type IdxArray, type IdxData, type IdxDatasetOptions, idxDataset, parseIdx } from './idx';
export { type IdxFolderOptions, loadIdxFolder } from './idx-folder';
export { ngramLosses } from './ngram';
export { type SplitOptions, trainTestSplit } from './split';
export { type Standardized, standardize } from './standardize';
export { characterVocabulary, type TextWindowsOptions, textWindows } from './text';
