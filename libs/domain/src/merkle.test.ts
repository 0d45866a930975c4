import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consistencyPath,
  coveringNodes,
  foldNodes,
  inclusionPath,
  lastLeafOf,
  TreeBuilder,
  treeHasher,
  type NodeId,
} from './merkle.ts';
import { verifyConsistency, verifyInclusion, type ConsistencyProof, type InclusionProof } from './merkle-proof.ts';

const hasher = treeHasher((bytes) => createHash('sha256').update(bytes).digest());
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** The definition of RFC 6962, section 2.1, word for word: what everything else is measured by. */
function root(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return hasher.empty();
  if (leaves.length === 1) return leaves[0]!;
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return hasher.node(root(leaves.slice(0, k)), root(leaves.slice(k)));
}

/** A log as a service keeps it: whole nodes by level and last leaf. */
function build(size: number): { leaves: Uint8Array[]; hashesOf: (ids: readonly NodeId[]) => Uint8Array[] } {
  const tree = new TreeBuilder(hasher);
  const stored = new Map<string, Uint8Array>();
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < size; at++) {
    const leaf = hasher.leaf(new TextEncoder().encode(`leaf ${at}`));
    leaves.push(leaf);
    for (const node of tree.append(leaf)) stored.set(`${node.level}/${lastLeafOf(node)}`, node.hash);
  }
  return { leaves, hashesOf: (ids) => ids.map((id) => stored.get(`${id.level}/${lastLeafOf(id)}`)!) };
}

const log = build(200);
const rootAt = (size: number): Uint8Array => root(log.leaves.slice(0, size));

function inclusion(leafIndex: number, treeSize: number): InclusionProof {
  const path = inclusionPath(leafIndex, treeSize).map((ids) => foldNodes(hasher, log.hashesOf(ids)));
  return { leafIndex, treeSize, leafHash: log.leaves[leafIndex]!, path, root: rootAt(treeSize) };
}

function consistency(oldSize: number, newSize: number): ConsistencyProof {
  const path = consistencyPath(oldSize, newSize).map((ids) => foldNodes(hasher, log.hashesOf(ids)));
  return { oldSize, newSize, oldRoot: rootAt(oldSize), newRoot: rootAt(newSize), path };
}

describe('published hashes', () => {
  const data = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];

  it('of the leaf of the empty string', () => {
    expect(hex(hasher.leaf(new Uint8Array(0)))).toBe(roots[1]);
  });

  it('of the trees of the first 0 to 8 leaves', () => {
    const tree = new TreeBuilder(hasher);
    expect(hex(tree.root())).toBe(roots[0]);
    data.forEach((leaf, at) => {
      tree.append(hasher.leaf(fromHex(leaf)));
      expect(hex(tree.root())).toBe(roots[at + 1]);
    });
  });
});

describe('the tree', () => {
  it('has the root of the definition at every size, also when it goes on from its stored edge', () => {
    for (let size = 0; size <= log.leaves.length; size++) {
      const resumed = new TreeBuilder(hasher, size, log.hashesOf(coveringNodes(0, size)));
      expect(hex(resumed.root())).toBe(hex(rootAt(size)));
    }
  });

  it('refuses an edge that does not belong to its size', () => {
    expect(() => new TreeBuilder(hasher, 3, log.hashesOf(coveringNodes(0, 4)))).toThrow(RangeError);
  });

  it('names the leaf that completes a node', () => {
    expect(lastLeafOf({ level: 0, index: 5 })).toBe(5);
    expect(lastLeafOf({ level: 3, index: 2 })).toBe(23);
    expect(coveringNodes(0, 7)).toEqual([
      { level: 2, index: 0 },
      { level: 1, index: 2 },
      { level: 0, index: 6 },
    ]);
  });

  it('counts beyond 32 bits', () => {
    const size = 2 ** 40 + 3;
    expect(coveringNodes(0, size).map(({ level }) => level)).toEqual([40, 1, 0]);
    expect(inclusionPath(2 ** 40, size)).toHaveLength(3);
    expect(consistencyPath(2 ** 40, size)).toHaveLength(1);
  });
});

describe('proofs', () => {
  it('are accepted for every leaf of every tree up to 70 leaves', () => {
    for (let size = 1; size <= 70; size++)
      for (let leaf = 0; leaf < size; leaf++)
        expect(verifyInclusion(hasher, inclusion(leaf, size)), `${leaf} of ${size}`).toBe(true);
  });

  it('are accepted for every pair of sizes up to 70', () => {
    for (let newer = 0; newer <= 70; newer++)
      for (let older = 0; older <= newer; older++)
        expect(verifyConsistency(hasher, consistency(older, newer)), `${older} to ${newer}`).toBe(true);
  });

  it('are refused to be made for what is not there', () => {
    expect(() => inclusionPath(5, 5)).toThrow(RangeError);
    expect(() => inclusionPath(-1, 5)).toThrow(RangeError);
    expect(() => consistencyPath(6, 5)).toThrow(RangeError);
  });
});

/** Ways to spoil a list of hashes, each of which changes it. */
const spoilPath = (path: readonly Uint8Array[], way: number, at: number, bit: number): Uint8Array[] => {
  const copy: Uint8Array[] = path.map((hash) => Uint8Array.from(hash));
  const pick = copy.length === 0 ? 0 : at % copy.length;
  if (copy.length === 0) return [fromHex('00'.repeat(32))];
  if (way === 0) copy[pick]![bit >> 3]! ^= 1 << (bit & 7);
  if (way === 1) copy.splice(pick, 1);
  if (way === 2) copy.splice(pick, 0, copy[pick]!);
  if (way === 3) copy.push(fromHex('ab'.repeat(32)));
  if (way === 4) copy[pick] = copy[pick]!.slice(0, 31);
  if (way === 5 && copy.length > 1) copy.push(copy.shift()!);
  else if (way === 5) copy[pick]![0]! ^= 1;
  return copy;
};

const flip = (hash: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(hash);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
};

const position = fc.nat(1000);
const bit = fc.nat(255);

describe('mutated proofs', () => {
  const runs = { numRuns: 1000 };

  it('of inclusion are all refused, by 1,000 of them', () => {
    const mutated = fc.record({ size: fc.integer({ min: 2, max: 200 }), at: position, bit, way: fc.nat(9) });
    fc.assert(
      fc.property(mutated, ({ size, at, bit: which, way }) => {
        const proof = inclusion(at % size, size);
        const spoilt = [
          { ...proof, leafHash: flip(proof.leafHash, which) },
          { ...proof, root: flip(proof.root, which) },
          { ...proof, leafIndex: (proof.leafIndex + 1 + (which % (size - 1))) % size },
          { ...proof, treeSize: size * 2 },
        ][way] ?? { ...proof, path: spoilPath(proof.path, way - 4, at, which) };
        return verifyInclusion(hasher, proof) && !verifyInclusion(hasher, spoilt);
      }),
      runs,
    );
  });

  it('of consistency are all refused, by 1,000 of them', () => {
    const mutated = fc.record({ newer: fc.integer({ min: 2, max: 200 }), at: position, bit, way: fc.nat(9) });
    fc.assert(
      fc.property(mutated, ({ newer, at, bit: which, way }) => {
        const proof = consistency(1 + (at % (newer - 1)), newer);
        const spoilt = [
          { ...proof, oldRoot: flip(proof.oldRoot, which) },
          { ...proof, newRoot: flip(proof.newRoot, which) },
          { ...proof, oldSize: proof.newSize, newSize: proof.oldSize },
          { ...proof, newSize: newer * 2 },
        ][way] ?? { ...proof, path: spoilPath(proof.path, way - 4, at, which) };
        return verifyConsistency(hasher, proof) && !verifyConsistency(hasher, spoilt);
      }),
      runs,
    );
  });

  it('with numbers that are none are refused', () => {
    const proof = inclusion(3, 10);
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(verifyInclusion(hasher, { ...proof, leafIndex: wrong })).toBe(false);
      expect(verifyInclusion(hasher, { ...proof, treeSize: wrong })).toBe(false);
      expect(verifyConsistency(hasher, { ...consistency(3, 10), newSize: wrong })).toBe(false);
    }
  });

  it('from an empty tree are accepted only with the empty root and no path', () => {
    const proof = consistency(0, 10);
    expect(verifyConsistency(hasher, { ...proof, oldRoot: rootAt(1) })).toBe(false);
    expect(verifyConsistency(hasher, { ...proof, path: [rootAt(1)] })).toBe(false);
  });
});
