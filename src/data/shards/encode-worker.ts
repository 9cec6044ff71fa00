/** A worker thread of `buildShards`: reads the tokenizer once, then encodes batch after batch. */
import { workerData } from 'piscina';
import { type PackedTexts, Tokenizer } from '../../tokenizer/index.ts';
import { type EncodedDocuments, type EncodeSettings, encodeDocuments } from './encode-documents.ts';

export interface EncodeWorkerData extends EncodeSettings {
  readonly tokenizerJson: string;
}

const settings = workerData as EncodeWorkerData;
const tokenizer = await Tokenizer.fromJson(settings.tokenizerJson);

export default function run(texts: PackedTexts): Promise<EncodedDocuments> {
  return encodeDocuments(texts, tokenizer, settings);
}
