/** Where text comes from: a file of some format, or a corpus that comes with the program. */
import { InputError, type OnRead, type Progress, type ProgressTask } from '../../base/index.ts';

/** Consecutive documents. Documents of nothing but white space are counted and left out. */
export interface DocumentBatch {
  readonly texts: readonly string[];
  readonly empty: number;
}

export interface ReadTextOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onRead?: OnRead | undefined;
}

export interface TextSource {
  /** How manifests call it; no path of one machine. */
  readonly name: string;
  /** Size of what is read, for progress: bytes on the disk, compressed ones where the file is compressed. */
  readonly bytes: number;
  /** How documents are taken from it: `field body`, `paragraphs`. */
  readonly reading: string;
  /** SHA-256 of what is read: with equal hash and reading come equal documents in the same order. */
  hash(): Promise<string>;
  /** The documents in order, in constant memory. Throws `InputError` with file and line for what cannot be read. */
  documents(options?: ReadTextOptions): AsyncGenerator<DocumentBatch>;
}

/** What a source is, wherever it lies: what is made from it depends on nothing else of it. */
export interface SourceIdentity extends Pick<TextSource, 'name' | 'reading' | 'bytes'> {
  readonly sha256: string;
}

export async function identifySources(sources: readonly TextSource[]): Promise<SourceIdentity[]> {
  const identities: SourceIdentity[] = [];
  for (const source of sources) {
    const { name, reading, bytes } = source;
    identities.push({ name, reading, bytes, sha256: await source.hash() });
  }
  return identities;
}

/** Splits off the empty ones. */
export function batchOf(texts: readonly string[]): DocumentBatch {
  const full = texts.filter(text => /\S/.test(text));
  return { texts: full, empty: texts.length - full.length };
}

export interface ReadAllOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of all sources read so far. */
  readonly onRead?: OnRead | undefined;
}

/** Begins a task of reading all sources, in the bytes that `ReadAllOptions.onRead` counts. */
export function startReading(
  progress: Progress,
  label: string,
  sources: readonly TextSource[],
): ProgressTask {
  const bytes = sources.reduce((sum, source) => sum + source.bytes, 0);
  return progress.start(label, bytes, 'bytes');
}

/** The documents of all sources, one after another. A corpus without any is an `InputError`. */
export async function* readDocuments(
  sources: readonly TextSource[],
  options: ReadAllOptions = {},
): AsyncGenerator<DocumentBatch> {
  let before = 0;
  let documents = 0;
  for (const source of sources) {
    const onRead = (bytes: number) => options.onRead?.(before + bytes);
    for await (const batch of source.documents({ signal: options.signal, onRead })) {
      options.signal?.throwIfAborted();
      documents += batch.texts.length;
      yield batch;
    }
    before += source.bytes;
    options.onRead?.(before);
  }
  if (documents === 0) {
    const names = sources.map(source => source.name).join(', ');
    throw new InputError(names || 'text', 'the corpus is empty: it holds no document with text in it');
  }
}

/** The texts alone, as the tokenizer's trainer wants them. */
export async function* textsOf(batches: AsyncIterable<DocumentBatch>): AsyncGenerator<readonly string[]> {
  for await (const { texts } of batches) yield texts;
}
