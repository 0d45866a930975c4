import { invalidArgument } from '@sluice/domain/errors';
import { canonicalJson, utf8 } from './canonical-json.ts';
import { hasher } from './tree-hash.ts';

/** How an actor is known: `unauthenticated` people and programs by their own word, `system` is the registry itself. */
export type ActorKind = 'unauthenticated' | 'system';

/** Actions of the log's own entries. */
export const auditActions = {
  keySet: 'audit.key.set',
  keyRotated: 'audit.key.rotated',
  restoreAccepted: 'audit.restore.accepted',
} as const;

/** Objects of the log's own entries. */
export const auditObjects = { key: 'audit/key', log: 'audit/log' } as const;

/** One leaf of the audit log, as it is stored. */
export interface AuditEntry {
  readonly leafIndex: number;
  /** Milliseconds since the epoch. */
  readonly effectiveAt: number;
  readonly actor: string;
  readonly actorKind: string;
  readonly action: string;
  readonly object: string;
  /** The text that is hashed. */
  readonly canonicalJson: string;
  readonly leafHash: Uint8Array;
}

/** What an entry says, before it has its text and hash. */
export interface EntryContent extends Pick<AuditEntry, 'leafIndex' | 'effectiveAt' | 'actor' | 'actorKind'> {
  readonly action: string;
  readonly object: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Longest canonical text of one entry, in UTF-16 units. */
const maxEntryLength = 4 * 1024 * 1024;

/** The entry with its canonical text and leaf hash. Errors: `invalid-argument` when the body is not JSON or too long. */
export function sealEntry(content: EntryContent): AuditEntry {
  if (!/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/.test(content.action))
    throw invalidArgument(
      `audit action ${content.action}: expected words joined by dots, such as alias.move.requested`,
    );
  const text = canonicalJson({
    action: content.action,
    actor: content.actor,
    actor_kind: content.actorKind,
    body: content.body,
    effective_at: new Date(content.effectiveAt).toISOString(),
    leaf_index: content.leafIndex,
    object: content.object,
  });
  if (text.length > maxEntryLength)
    throw invalidArgument(
      `the audit entry of ${content.object} has ${text.length} characters; at most ${maxEntryLength}`,
    );
  const { leafIndex, effectiveAt, actor, actorKind, action, object } = content;
  return {
    leafIndex,
    effectiveAt,
    actor,
    actorKind,
    action,
    object,
    canonicalJson: text,
    leafHash: hasher.leaf(utf8(text)),
  };
}
