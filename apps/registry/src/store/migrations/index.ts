import type { Migration } from '@sluice/persistence/migrator';
import { auditLog } from './1780000001000-audit-log.ts';
import { desiredState } from './1780000002000-desired-state.ts';
import { stateNeedsEntry } from './1780000003000-state-needs-entry.ts';
import { ordinaryTriggers } from './1780000004000-ordinary-triggers.ts';
import { rollbackMark } from './1780000006000-rollback-mark.ts';
import { rowsThatStay } from './1780000007000-rows-that-stay.ts';
import { historyOfRevisions } from './1780000008000-history-of-revisions.ts';
import { strikes } from './1780000009000-strikes.ts';
import { devicesOfLeases } from './1780000010000-devices-of-leases.ts';
import { captureOfModels } from './1780000011000-capture-of-models.ts';
import { auditOfSources } from './1780000012000-audit-of-sources.ts';
import { labelsOfModels } from './1780000013000-labels-of-models.ts';

/** All migrations of schema `registry` in the order of their numbers. Append only: one that ran is never edited. */
export const migrations: readonly Migration[] = [
  auditLog,
  desiredState,
  stateNeedsEntry,
  ordinaryTriggers,
  rollbackMark,
  rowsThatStay,
  historyOfRevisions,
  strikes,
  devicesOfLeases,
  captureOfModels,
  auditOfSources,
  labelsOfModels,
];
