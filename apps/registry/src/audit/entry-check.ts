import { canonicalJson } from './canonical-json.ts';
import type { AuditKey } from './checkpoint.ts';
import { auditActions, type AuditEntry } from './entry.ts';

/** What tells one checkpoint from all others. */
export interface CheckpointName {
  readonly size: number;
  /** In hex. */
  readonly root: string;
}

/** What an entry says that accepted a database from before the last checkpoint. */
export interface RestoreAccepted {
  /** Tree size of the checkpoint that the database was older than. */
  readonly checkpointSize: number;
  readonly checkpointRoot: string;
  /** Entries that the database had. */
  readonly restoredSize: number;
  /** That checkpoint, and all others of the artifact store that the database was older than. */
  readonly lost: readonly CheckpointName[];
}

/** What in an entry's row does not say the same as its canonical JSON; undefined when nothing. */
export function rowProblem(entry: AuditEntry): string | undefined {
  const said = parse(entry.canonicalJson);
  if (!said) return 'its canonical JSON cannot be read';
  if (!isCanonical(said, entry.canonicalJson)) return 'its JSON is not in canonical form';
  const time = Number.isInteger(entry.effectiveAt)
    ? new Date(entry.effectiveAt).toISOString()
    : 'a time between two milliseconds';
  const row: Record<string, unknown> = {
    action: entry.action,
    actor: entry.actor,
    actor_kind: entry.actorKind,
    effective_at: time,
    leaf_index: entry.leafIndex,
    object: entry.object,
  };
  const wrong = Object.keys(row).filter((name) => row[name] !== said[name]);
  return wrong.length === 0 ? undefined : `column ${wrong.join(' and ')} differs from its canonical JSON`;
}

/** The restore that an entry accepted, if it is one of these. */
export function readRestore(entry: AuditEntry): RestoreAccepted | undefined {
  if (entry.action !== auditActions.restoreAccepted) return undefined;
  const body = parse(entry.canonicalJson)?.['body'] as Record<string, unknown> | undefined;
  const { checkpoint_size: checkpointSize, checkpoint_root: checkpointRoot, restored_size: restoredSize } = body ?? {};
  if (typeof checkpointSize !== 'number' || typeof restoredSize !== 'number' || typeof checkpointRoot !== 'string')
    return undefined;
  const others: unknown = body?.['lost_checkpoints'];
  const lost = [
    { size: checkpointSize, root: checkpointRoot },
    ...(Array.isArray(others) ? others.filter(isName) : []),
  ];
  return { checkpointSize, checkpointRoot, restoredSize, lost };
}

function isName(value: unknown): value is CheckpointName {
  const name = value as Partial<CheckpointName> | null;
  return typeof name?.size === 'number' && typeof name.root === 'string';
}

/** True when the entry's body names this very key. */
export function readsAsKey(entry: AuditEntry, key: AuditKey): boolean {
  const body = parse(entry.canonicalJson)?.['body'] as Record<string, unknown> | undefined;
  return body?.['key_id'] === key.keyId && body['public_key_pem'] === key.publicKeyPem;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isCanonical(value: unknown, text: string): boolean {
  try {
    return canonicalJson(value) === text;
  } catch {
    return false;
  }
}
