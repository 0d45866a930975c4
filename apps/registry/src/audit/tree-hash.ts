import { createHash } from 'node:crypto';
import { treeHasher } from '@sluice/domain/merkle';

/** SHA-256 of bytes, 32 bytes. */
export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** The hashes of the audit log's tree. */
export const hasher = treeHasher(sha256);
