export { type ElementType, isElementType } from './element-types.ts';
export {
  DEFAULT_EMBEDDER,
  EMBEDDER_FILE,
  type EmbedderExport,
  type EmbedderSettings,
  readEmbedderSettings,
  writeEmbedderDirectory,
} from './embedder.ts';
export { findMptConfig } from './find-config.ts';
export { decodeFloat16, encodeFloat16 } from './half.ts';
export { formatMptConfig, type MptDescription, parseMptConfig, readMptConfig } from './mpt-config.ts';
export { MptDirectory, type MptModel, readMptDirectory } from './mpt-directory.ts';
export { type MptExportOptions, type MptWeights, writeMptDirectory } from './mpt-export.ts';
export {
  type ReadOptions,
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsContents,
  SafetensorsFile,
} from './safetensors-file.ts';
export {
  encodeSafetensorsHeader,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type StoredTensor,
} from './safetensors-header.ts';
export {
  sourceOf,
  type TensorSource,
  type WeightType,
  type WriteOptions,
  writeSafetensors,
  writeSafetensorsFrom,
} from './safetensors-write.ts';
export type { SpecialTokens, TokenizerFiles } from './tokenizer-files.ts';
