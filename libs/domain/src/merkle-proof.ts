import type { TreeHasher } from './merkle.ts';

/**
 * Verification of proofs, as an outsider does it: from the numbers and hashes of the proof alone. Nothing here knows
 * how the log builds or stores its tree; only the two hash functions are shared. Sizes and roots must come from signed
 * checkpoints: a root does not say by itself how many leaves are below it.
 */

export interface InclusionProof {
  readonly leafIndex: number;
  readonly treeSize: number;
  readonly leafHash: Uint8Array;
  /** From the leaf up. */
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

export interface ConsistencyProof {
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** True when the proof shows that the leaf is in the tree with that root. RFC 9162, section 2.1.3.2. */
export function verifyInclusion(hasher: Pick<TreeHasher, 'node'>, proof: InclusionProof): boolean {
  const { leafIndex, treeSize, leafHash, path, root } = proof;
  if (!isCount(leafIndex) || !isCount(treeSize) || leafIndex >= treeSize) return false;
  if (![leafHash, root, ...path].every(isHash)) return false;
  let leaf = leafIndex;
  let last = treeSize - 1;
  let hash = leafHash;
  for (const sibling of path) {
    if (last === 0) return false;
    if (isOdd(leaf) || leaf === last) {
      hash = hasher.node(sibling, hash);
      while (!isOdd(leaf) && leaf !== 0) [leaf, last] = [half(leaf), half(last)];
    } else {
      hash = hasher.node(hash, sibling);
    }
    [leaf, last] = [half(leaf), half(last)];
  }
  return last === 0 && equal(hash, root);
}

/** True when the proof shows that the old tree is the beginning of the new one. RFC 9162, section 2.1.4.2. */
export function verifyConsistency(hasher: Pick<TreeHasher, 'node' | 'empty'>, proof: ConsistencyProof): boolean {
  const { oldSize, newSize, oldRoot, newRoot, path } = proof;
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize) return false;
  if (![oldRoot, newRoot, ...path].every(isHash)) return false;
  // Every tree begins with the empty one, and with itself.
  if (oldSize === 0 && !equal(oldRoot, hasher.empty())) return false;
  if (oldSize === newSize) return path.length === 0 && equal(oldRoot, newRoot);
  if (oldSize === 0) return path.length === 0;
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...path] : path;
  return first !== undefined && climb(hasher, proof, first, rest);
}

function climb(
  hasher: Pick<TreeHasher, 'node'>,
  proof: ConsistencyProof,
  first: Uint8Array,
  rest: readonly Uint8Array[],
): boolean {
  let node = proof.oldSize - 1;
  let last = proof.newSize - 1;
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let oldHash = first;
  let newHash = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldHash = hasher.node(sibling, oldHash);
      newHash = hasher.node(sibling, newHash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newHash = hasher.node(newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equal(oldHash, proof.oldRoot) && equal(newHash, proof.newRoot);
}

// Arithmetic instead of bit operations: those would cut numbers to 32 bits.
const half = (value: number): number => Math.floor(value / 2);
const isOdd = (value: number): boolean => value % 2 === 1;
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isHash = (bytes: Uint8Array): boolean => bytes.length === 32;

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest > 1 && !isOdd(rest)) rest = half(rest);
  return rest === 1;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
