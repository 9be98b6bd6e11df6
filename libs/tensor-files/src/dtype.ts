/** Element types of safetensors with the bytes of one element. */
const elementBytes = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

/** Name of an element type, as safetensors spells it. */
export type DType = keyof typeof elementBytes;

/** True for a name of the table above. */
export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(elementBytes, name);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return elementBytes[dtype];
}

/** prod(shape) * bytesPerElement; undefined when a dimension is no whole number >= 0 or the product is not exact. */
export function byteLengthOf(dtype: DType, shape: readonly number[]): number | undefined {
  let bytes = bytesPerElement(dtype);
  let empty = false;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) return undefined;
    if (dimension === 0) empty = true;
    else bytes *= dimension;
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return empty ? 0 : bytes;
}
