/** SHA-256, given from outside: this library has no dependencies. Answers with 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** The hashes of RFC 6962, section 2.1 (the same in RFC 9162): leaves and inner nodes cannot be taken for each other. */
export interface TreeHasher {
  empty(): Uint8Array;
  leaf(data: Uint8Array): Uint8Array;
  node(left: Uint8Array, right: Uint8Array): Uint8Array;
}

/** The hashes of the log's tree on `sha256`. */
export function treeHasher(sha256: Sha256): TreeHasher {
  return {
    empty: () => sha256(new Uint8Array(0)),
    leaf(data) {
      const bytes = new Uint8Array(1 + data.length);
      bytes.set(data, 1);
      return sha256(bytes);
    },
    node(left, right) {
      const bytes = new Uint8Array(1 + left.length + right.length);
      bytes[0] = 1;
      bytes.set(left, 1);
      bytes.set(right, 1 + left.length);
      return sha256(bytes);
    },
  };
}

/**
 * A node over 2^level leaves, the `index`th of its level: it covers leaves [index · 2^level, (index + 1) · 2^level).
 * Only such whole nodes are stored; they never change once their last leaf is there.
 */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

/** The last leaf that a node covers: the one whose appending completed it. */
export const lastLeafOf = ({ level, index }: NodeId): number => (index + 1) * 2 ** level - 1;

/** The fewest whole nodes that cover leaves [start, end), left to right, where `start` is aligned as in proofs. */
export function coveringNodes(start: number, end: number): NodeId[] {
  const nodes: NodeId[] = [];
  let at = start;
  while (at < end) {
    let level = 0;
    let width = 1;
    while (at % (width * 2) === 0 && at + width * 2 <= end) {
      width *= 2;
      level++;
    }
    nodes.push({ level, index: at / width });
    at += width;
  }
  return nodes;
}

/** The hash of the subtree that `coveringNodes` of a range stand for, from their hashes; of none: the empty tree's. */
export function foldNodes(hasher: TreeHasher, hashes: readonly Uint8Array[]): Uint8Array {
  let root = hashes.at(-1);
  if (!root) return hasher.empty();
  for (let at = hashes.length - 2; at >= 0; at--) root = hasher.node(hashes[at]!, root);
  return root;
}

/**
 * For each hash of the inclusion proof of `leafIndex` in a tree of `treeSize` leaves, from the leaf up: the whole nodes
 * that it folds. RFC 9162, section 2.1.3.1. Throws RangeError unless leafIndex < treeSize.
 */
export function inclusionPath(leafIndex: number, treeSize: number): NodeId[][] {
  if (!(leafIndex >= 0 && leafIndex < treeSize))
    throw new RangeError(`leaf ${leafIndex} is not in a tree of ${treeSize} leaves`);
  const path: NodeId[][] = [];
  let start = 0;
  let end = treeSize;
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (leafIndex < middle) {
      path.unshift(coveringNodes(middle, end));
      end = middle;
    } else {
      path.unshift(coveringNodes(start, middle));
      start = middle;
    }
  }
  return path;
}

/**
 * For each hash of the proof that a tree of `oldSize` leaves is the beginning of one of `newSize`: the whole nodes that
 * it folds. RFC 9162, section 2.1.4.1. Empty for an old size of 0 and for equal sizes. Throws RangeError unless
 * 0 <= oldSize <= newSize.
 */
export function consistencyPath(oldSize: number, newSize: number): NodeId[][] {
  if (!(oldSize >= 0 && oldSize <= newSize))
    throw new RangeError(`a tree of ${oldSize} leaves is not the beginning of one of ${newSize}`);
  if (oldSize === 0) return [];
  const path: NodeId[][] = [];
  let start = 0;
  let end = newSize;
  while (oldSize < end) {
    const middle = start + splitOf(end - start);
    if (oldSize <= middle) {
      path.unshift(coveringNodes(middle, end));
      end = middle;
    } else {
      path.unshift(coveringNodes(start, middle));
      start = middle;
    }
  }
  // Where the old tree is a whole left part of the new one, the verifier has its hash already.
  if (start > 0) path.unshift(coveringNodes(start, end));
  return path;
}

/** A whole node that an append completed. */
export interface CompletedNode extends NodeId {
  readonly hash: Uint8Array;
}

/** Grows a tree leaf by leaf, keeping only the O(log n) whole nodes at its right edge. */
export class TreeBuilder {
  readonly #hasher: TreeHasher;
  readonly #edge: CompletedNode[];
  #size: number;

  /** Goes on from a tree of `size` leaves, given the hashes of `coveringNodes(0, size)`; without them from an empty one. */
  constructor(hasher: TreeHasher, size = 0, edgeHashes: readonly Uint8Array[] = []) {
    const edge = coveringNodes(0, size);
    if (edge.length !== edgeHashes.length)
      throw new RangeError(`a tree of ${size} leaves has ${edge.length} edge nodes, not ${edgeHashes.length}`);
    this.#hasher = hasher;
    this.#edge = edge.map((node, at) => ({ ...node, hash: edgeHashes[at]! }));
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Appends a leaf by its hash; returns the nodes that it completed, the leaf itself (level 0) first. */
  append(leafHash: Uint8Array): CompletedNode[] {
    let node: CompletedNode = { level: 0, index: this.#size++, hash: leafHash };
    const completed = [node];
    for (let left = this.#edge.at(-1); left?.level === node.level; left = this.#edge.at(-1)) {
      this.#edge.pop();
      node = { level: node.level + 1, index: left.index / 2, hash: this.#hasher.node(left.hash, node.hash) };
      completed.push(node);
    }
    this.#edge.push(node);
    return completed;
  }

  root(): Uint8Array {
    return foldNodes(
      this.#hasher,
      this.#edge.map(({ hash }) => hash),
    );
  }
}

/** The largest power of two below `size`, which is at least 2. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
