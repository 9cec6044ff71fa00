/** The element types of safetensors files, and how each becomes one of the engine's. */
import type { DType, TensorData } from '../../graph/index.ts';
import { decodeBfloat16, decodeFloat16 } from './half.ts';

/** Every element type of the format, with its size in bits, in the order in which the reference writer sorts (backwards). */
const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type ElementType = keyof typeof BITS;

export const ELEMENT_TYPES = Object.keys(BITS) as readonly ElementType[];

export function isElementType(name: string): name is ElementType {
  return Object.hasOwn(BITS, name);
}

export function bitsOf(type: ElementType): number {
  return BITS[type];
}

/** How a stored type becomes one of the engine's. All conversions are exact. */
export interface Decoder {
  readonly dtype: DType;
  /** Fills `into` from as many stored elements at the beginning of `raw`; absent where the stored layout is the engine's own. */
  readonly convert?: (raw: ArrayBuffer, into: TensorData) => void;
}

type SmallIntegers = Uint8Array | Int8Array | Int16Array | Uint16Array;

function halves(decode: (bits: Uint16Array, into: Float32Array) => void): Decoder {
  return {
    dtype: 'float32',
    convert: (raw, into) => decode(new Uint16Array(raw, 0, into.length), into as Float32Array),
  };
}

function widened(
  Stored: new (buffer: ArrayBuffer, byteOffset: number, length: number) => SmallIntegers,
): Decoder {
  return {
    dtype: 'int32',
    convert: (raw, into) => (into as Int32Array).set(new Stored(raw, 0, into.length)),
  };
}

/** The types the engine can hold; the rest (complex, 8-bit and smaller floats, large unsigned integers) is described but not read. */
export const DECODERS: Readonly<Partial<Record<ElementType, Decoder>>> = {
  F32: { dtype: 'float32' },
  F64: { dtype: 'float64' },
  I64: { dtype: 'int64' },
  I32: { dtype: 'int32' },
  BOOL: { dtype: 'bool' },
  F16: halves(decodeFloat16),
  BF16: halves(decodeBfloat16),
  U8: widened(Uint8Array),
  I8: widened(Int8Array),
  I16: widened(Int16Array),
  U16: widened(Uint16Array),
};

/** What a tensor of the engine is stored as, unless a narrower float is asked for. */
export const STORED_AS: Readonly<Record<DType, ElementType>> = {
  float32: 'F32',
  float64: 'F64',
  int64: 'I64',
  int32: 'I32',
  bool: 'BOOL',
};
