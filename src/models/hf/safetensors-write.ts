/** Writing safetensors files: a header, then one tensor after the other, so that only one needs to be in memory. */
import { InputError, InternalError, writeAtomically } from '../../base/index.ts';
import { type DType, elementCount, type Tensor } from '../../graph/index.ts';
import { bitsOf, ELEMENT_TYPES, type ElementType, STORED_AS } from './element-types.ts';
import { encodeBfloat16, encodeFloat16 } from './half.ts';
import { encodeSafetensorsHeader, type StoredTensor } from './safetensors-header.ts';
import { quoted } from './unique-json.ts';

/** Element types that float32 weights may be stored in. */
export type WeightType = 'F32' | 'F16' | 'BF16';

/** A tensor whose numbers are fetched when it is its turn to be written. */
export interface TensorSource {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly load: () => Tensor | Promise<Tensor>;
}

export interface WriteOptions {
  /** Texts kept in the header. Transformers wants `{format: 'pt'}`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What float32 tensors are stored as (default `F32`). Narrower types round to nearest; a number beyond their range is refused. */
  readonly weightType?: WeightType;
}

/** Elements converted and written at a time. */
const WRITTEN_AT_ONCE = 1 << 22;

/** Writes tensors that are in memory. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  options: WriteOptions = {},
): Promise<void> {
  const sources = Array.from(tensors, ([name, tensor]) => sourceOf(name, tensor));
  await writeSafetensorsFrom(path, sources, options);
}

export function sourceOf(name: string, tensor: Tensor): TensorSource {
  return { name, dtype: tensor.dtype, shape: tensor.shape, load: () => tensor };
}

/**
 * Writes tensors as they are loaded, to a file that appears only when it is whole. Equal tensors make equal bytes, whatever their order: they
 * are sorted as the reference implementation sorts them, wide element types first, then by name.
 */
export async function writeSafetensorsFrom(
  path: string,
  sources: readonly TensorSource[],
  options: WriteOptions = {},
): Promise<void> {
  const { weightType = 'F32', metadata } = options;
  const stored = (source: TensorSource) => storedType(source.dtype, weightType);
  const sorted = [...sources].sort(
    (a, b) =>
      ELEMENT_TYPES.indexOf(stored(b)) - ELEMENT_TYPES.indexOf(stored(a)) ||
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  const layout = layOut(sorted, stored);
  await writeAtomically(path, async file => {
    await file.write(encodeSafetensorsHeader(layout, metadata));
    for (const source of sorted) {
      const tensor = await source.load();
      requireAnnounced(source, tensor);
      for (const bytes of encoded(tensor, stored(source), `${path}: tensor ${quoted(source.name)}`))
        await file.write(bytes);
    }
  });
}

/** Bytes a tensor takes in a file. */
export function storedBytes(
  { dtype, shape }: Pick<TensorSource, 'dtype' | 'shape'>,
  type: WeightType,
): number {
  return (bitsOf(storedType(dtype, type)) / 8) * elementCount(shape);
}

function storedType(dtype: DType, weightType: WeightType): ElementType {
  return dtype === 'float32' ? weightType : STORED_AS[dtype];
}

function layOut(
  sources: readonly TensorSource[],
  stored: (source: TensorSource) => ElementType,
): [string, StoredTensor][] {
  let begin = 0;
  const names = new Set<string>();
  return sources.map(source => {
    const { name, shape } = source;
    if (names.has(name) || name === '__metadata__')
      throw new InternalError(`a safetensors file cannot hold a tensor ${quoted(name)} (again)`);
    names.add(name);
    const elementType = stored(source);
    const end = begin + (bitsOf(elementType) / 8) * elementCount(shape);
    const entry = { elementType, shape, begin, end };
    begin = end;
    return [name, entry];
  });
}

function requireAnnounced({ name, dtype, shape }: TensorSource, tensor: Tensor): void {
  const count = elementCount(shape);
  if (tensor.dtype !== dtype || tensor.data.length !== count)
    throw new InternalError(
      `tensor ${quoted(name)} was announced as ${dtype}[${shape}] and holds ${tensor.data.length} of ${tensor.dtype}`,
    );
}

/** The bytes of a tensor, in pieces. */
function* encoded(tensor: Tensor, type: ElementType, where: string): Generator<Uint8Array> {
  const { data } = tensor;
  if (!(data instanceof Float32Array) || type === 'F32') {
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return;
  }
  for (let from = 0; from < data.length; from += WRITTEN_AT_ONCE) {
    const part = data.subarray(from, from + WRITTEN_AT_ONCE);
    const bits = type === 'F16' ? encodeFloat16(part) : encodeBfloat16(part);
    requireInRange(part, bits, type, where);
    yield new Uint8Array(bits.buffer);
  }
}

/** A finite number must not become an infinity. */
function requireInRange(part: Float32Array, bits: Uint16Array, type: ElementType, where: string): void {
  const infinity = type === 'F16' ? 0x7c00 : 0x7f80;
  const lost = bits.findIndex((pattern, i) => (pattern & 0x7fff) === infinity && Number.isFinite(part[i]));
  if (lost >= 0)
    throw new InputError(where, `${part[lost]} is too large for ${type}: write it as F32 instead`);
}
