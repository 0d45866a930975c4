/** Datatypes of the Open Inference Protocol with the bytes of one element; 0 where elements have no fixed size. */
export const datatypeBytes = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BF16: 2,
  BYTES: 0,
} as const;

export type Datatype = keyof typeof datatypeBytes;

export function isDatatype(text: string): text is Datatype {
  return Object.hasOwn(datatypeBytes, text);
}
