import { createPublicKey, verify } from 'node:crypto';
import { utf8 } from './canonical-json.ts';

/** First line of every checkpoint: what was signed and in which form. */
const origin = 'sluice registry audit log v1';

/** The state of the log at a size, signed. */
export interface SignedCheckpoint {
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly signedAt: number;
  readonly keyId: string;
  /** The exact text that was signed. */
  readonly body: string;
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
}

export type CheckpointContent = Pick<SignedCheckpoint, 'treeSize' | 'rootHash' | 'signedAt' | 'keyId'>;

/** A key that checkpoints are signed with, as the log knows it. */
export interface AuditKey {
  readonly keyId: string;
  /** SPKI, PEM. */
  readonly publicKeyPem: string;
  /** The entry that made it current: it signs trees of more leaves than this. */
  readonly sinceLeaf: number;
}

/** The text that is signed: five lines, each ended by a line feed. */
export function checkpointBody({ treeSize, rootHash, signedAt, keyId }: CheckpointContent): string {
  const root = Buffer.from(rootHash).toString('base64');
  return [origin, String(treeSize), root, new Date(signedAt).toISOString(), keyId, ''].join('\n');
}

/** Reads a body back; undefined when it is not one, to the byte. */
export function parseBody(body: string): CheckpointContent | undefined {
  const [, size = '', root = '', time = '', keyId = ''] = body.split('\n');
  const content = {
    treeSize: Number(size),
    rootHash: new Uint8Array(Buffer.from(root, 'base64')),
    signedAt: Date.parse(time),
    keyId,
  };
  const whole = Number.isSafeInteger(content.treeSize) && content.rootHash.length === 32 && !isNaN(content.signedAt);
  return whole && checkpointBody(content) === body ? content : undefined;
}

/** The text of a checkpoint as it stands in the artifact store: the body, an empty line, key id and signature. */
export function formatNote(checkpoint: SignedCheckpoint): string {
  return `${checkpoint.body}\n— ${checkpoint.keyId} ${Buffer.from(checkpoint.signature).toString('base64')}\n`;
}

/** Reads a note back; undefined when it is not one. The signature is not verified. */
export function parseNote(note: string): SignedCheckpoint | undefined {
  const found = /^([^]*\n)\n— (\S+) ([A-Za-z0-9+/=]+)\n$/.exec(note);
  const content = found && parseBody(found[1]!);
  if (!content || content.keyId !== found[2]) return undefined;
  return { ...content, body: found[1]!, signature: new Uint8Array(Buffer.from(found[3]!, 'base64')) };
}

/**
 * What is wrong with a checkpoint by itself: its fields against its body, its key against the keys of the log, its
 * signature. Undefined when nothing is.
 */
export function checkpointProblem(checkpoint: SignedCheckpoint, keys: readonly AuditKey[]): string | undefined {
  const content = parseBody(checkpoint.body);
  if (!content) return 'its text is not that of a checkpoint';
  if (!Number.isInteger(checkpoint.signedAt) || checkpointBody(checkpoint) !== checkpoint.body)
    return 'its fields differ from the text that was signed';
  const current = keyAt(keys, checkpoint.treeSize);
  if (current?.keyId !== checkpoint.keyId)
    return `it names key ${checkpoint.keyId}, but the log's key at this size is ${current?.keyId ?? 'none'}`;
  return isSignedBy(checkpoint, current.publicKeyPem) ? undefined : `its signature is not that of key ${current.keyId}`;
}

/** The key that signs trees of `treeSize` leaves; `keys` by `sinceLeaf`, oldest first. */
export function keyAt(keys: readonly AuditKey[], treeSize: number): AuditKey | undefined {
  return keys.findLast((key) => key.sinceLeaf < treeSize);
}

/** True when the signature over the body is that of the key. */
export function isSignedBy(checkpoint: Pick<SignedCheckpoint, 'body' | 'signature'>, publicKeyPem: string): boolean {
  try {
    return verify(null, utf8(checkpoint.body), createPublicKey(publicKeyPem), checkpoint.signature);
  } catch {
    // A key that was tampered with may not even parse.
    return false;
  }
}
