/** Data: the embedded digits, IDX and CSV readers, splitting, standardizing, batching. */
export { BatchOrder, gatherInto, gatherLabelsInto } from './batching';
export { type CsvOptions, type CsvRegressionOptions, parseCsv } from './csv';
export { type Dataset, type Examples, selectRows, type ValueDataset } from './dataset';
export { loadDigits } from './digits';
export { type IdxArray, type IdxData, type IdxDatasetOptions, idxDataset, parseIdx } from './idx';
export { ngramLosses } from './ngram';
export { type IdxFolderOptions, loadIdxFolder } from './node';
export { type SplitOptions, trainTestSplit } from './split';
export { type Standardized, standardize } from './standardize';
export { characterVocabulary, type TextWindowsOptions, textWindows } from './text';
