import type { Migration } from '@sluice/persistence/migrator';

/** What a registry may change in rows that it may not delete; all else of them stays as it was inserted. */
const changeable: Readonly<Record<string, readonly string[]>> = {
  model: ['owner', 'description', 'approvals_required', 'last_version', 'revision', 'changed_revision'],
  version: ['state', 'serving', 'admission', 'rejection', 'revision', 'placed', 'unplaced_revision'],
  version_file: [],
  version_history: ['to_at'],
  version_request: [],
  alias_history: ['to_at'],
  alias_move: ['state', 'reasons', 'ended_at', 'ended_revision'],
  approval: [],
  pin: ['to_at'],
  release: ['body', 'from_at', 'to_at'],
};

/** The files and the digest of a version, who approved it and what was true when are facts: no service changes them. */
export const rowsThatStay: Migration = {
  id: '1780000007000-rows-that-stay',
  statements: Object.entries(changeable).flatMap(([table, columns]) => [
    `revoke update on registry.${table} from sluice_registry`,
    ...(columns.length > 0 ? [`grant update (${columns.join(', ')}) on registry.${table} to sluice_registry`] : []),
  ]),
};
