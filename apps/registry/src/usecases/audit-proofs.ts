import {
  consistencyPath,
  coveringNodes,
  foldNodes,
  inclusionPath,
  type NodeId,
  type TreeHasher,
} from '@sluice/domain/merkle';
import type { ConsistencyProof, InclusionProof } from '@sluice/domain/merkle-proof';
import { invalidArgument, notFound } from '@sluice/domain/errors';
import type { AuditLog, AuditReads } from './audit-log.ts';

/**
 * The proof that an entry is in the log. A tree size of 0 means the current one. Errors: `not-found` for an entry that
 * is not there, `invalid-argument` for a size that the log does not have.
 */
export async function inclusionProof(
  log: AuditLog,
  hasher: TreeHasher,
  request: { readonly leafIndex: number; readonly treeSize: number },
): Promise<InclusionProof> {
  return log.read(async (reads) => {
    const size = await checkedSize(reads, request.treeSize, 'tree_size');
    const { leafIndex } = request;
    if (leafIndex >= size) throw notFound(`leaf_index: entry ${leafIndex} is not in the log of ${size} entries`);
    const [leafHash] = await reads.nodes([{ level: 0, index: leafIndex }]);
    const path = await hashesOf(reads, hasher, inclusionPath(leafIndex, size));
    return { leafIndex, treeSize: size, leafHash: leafHash!, path, root: await rootAt(reads, hasher, size) };
  });
}

/**
 * The proof that the log at one size is the beginning of the log at another; a new size of 0 means the current one.
 * Errors: `invalid-argument` for sizes that the log does not have or that are the wrong way round.
 */
export async function consistencyProof(
  log: AuditLog,
  hasher: TreeHasher,
  request: { readonly oldSize: number; readonly newSize: number },
): Promise<ConsistencyProof> {
  return log.read(async (reads) => {
    const newSize = await checkedSize(reads, request.newSize, 'new_size');
    const { oldSize } = request;
    if (oldSize > newSize) throw invalidArgument(`old_size: ${oldSize} given; expected at most new_size, ${newSize}`);
    return {
      oldSize,
      newSize,
      oldRoot: await rootAt(reads, hasher, oldSize),
      newRoot: await rootAt(reads, hasher, newSize),
      path: await hashesOf(reads, hasher, consistencyPath(oldSize, newSize)),
    };
  });
}

/** The root of the log's first `size` entries, from its stored nodes. */
export async function rootAt(reads: AuditReads, hasher: TreeHasher, size: number): Promise<Uint8Array> {
  return foldNodes(hasher, await reads.nodes(coveringNodes(0, size)));
}

async function checkedSize(reads: AuditReads, asked: number, field: string): Promise<number> {
  const size = await reads.size();
  if (asked > size) throw invalidArgument(`${field}: ${asked} given; the log has ${size} entries`);
  return asked === 0 ? size : asked;
}

/** One read for all nodes of a proof, then each hash folded from its own. */
async function hashesOf(reads: AuditReads, hasher: TreeHasher, path: readonly NodeId[][]): Promise<Uint8Array[]> {
  const hashes = await reads.nodes(path.flat());
  let at = 0;
  return path.map((ids) => foldNodes(hasher, hashes.slice(at, (at += ids.length))));
}
