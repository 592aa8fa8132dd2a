/**
 * Checkpoints of optimizers, exchange of Adam's state with PyTorch, the safetensors format, 16-bit
 * float conversions, and stores that keep checkpoints.
 *
 * @module adal-wasm/checkpoint
 */
export { CheckpointError } from '../errors';
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './half-precision';
export {
  type Checkpoint,
  type CheckpointExtras,
  decodeCheckpoint,
  encodeCheckpoint,
} from './optimizer-checkpoint';
export type { PlainData } from './plain-data';
export { decodePyTorchAdam, encodePyTorchAdam } from './pytorch-adam';
export type { PyTorchLayoutOptions } from './pytorch-layout';
export {
  type Dtype,
  type DtypeArray,
  type DtypeArrays,
  decodeSafetensors,
  type EncodeSafetensorsOptions,
  encodeSafetensors,
  type SafetensorsContent,
  type SafetensorsEntry,
  type SafetensorsInput,
  type SafetensorsTensor,
} from './safetensors';
export {
  decodeSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsTensorInfo,
  safetensorsHeaderEnd,
} from './safetensors-header';
export {
  type DenoKvAtomicLike,
  type DenoKvEntryLike,
  type DenoKvKey,
  type DenoKvKeyPart,
  type DenoKvLike,
  denoKvStore,
} from './stores/deno-kv';
export {
  type DurableObjectStorageLike,
  type DurableObjectStoreOptions,
  type DurableObjectTransactionLike,
  durableObjectStore,
} from './stores/durable-object';
export { fileStore } from './stores/file';
export {
  type IDBFactoryLike,
  type IndexedDbStoreOptions,
  indexedDbStore,
} from './stores/indexed-db';
export { memoryStore } from './stores/memory';
export {
  type R2BucketLike,
  type R2ObjectLike,
  r2Store,
  type S3Request,
  type S3ResponseLike,
  s3Store,
} from './stores/object-store';
export {
  type FileSystemDirectoryHandleLike,
  type FileSystemFileHandleLike,
  type OpfsStoreOptions,
  opfsStore,
} from './stores/opfs';
export type { FileSystemSyncAccessHandleLike } from './stores/opfs-slot';
export {
  CheckpointConflictError,
  CheckpointQuotaError,
  type CheckpointStore,
  type SaveOptions,
  type StoredCheckpoint,
} from './stores/store';
