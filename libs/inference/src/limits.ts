/** Bounds on what one message may hold. They stop a small message from making large objects. */
export const limits = {
  /** Input tensors, requested outputs or raw entries of one request. */
  tensors: 4096,
  /** Parameters of one request. */
  parameters: 1024,
  /** Dimensions of one tensor. */
  rank: 64,
  /** Largest dimension, and the largest number of elements (a zero dimension counted as 1) of one tensor. */
  elements: 2 ** 31 - 1,
  /** Rows of a request whose rows have no elements: they cost no bytes on the wire, so bytes do not bound them. */
  emptyRows: 65_536,
  /** Values that one answer lists as classes: each is a string. */
  classes: 100_000,
  /** Values that are looked at to find the classes of one answer. */
  rankedValues: 4_000_000,
} as const;
