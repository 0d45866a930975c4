import type { Migration } from '@sluice/persistence/migrator';
import { evidence } from './1780000001000-evidence.ts';
import { evidenceDays } from './1780000002000-evidence-days.ts';
import { deadLetters } from './1780000003000-dead-letters.ts';
import { labels } from './1780000004000-labels.ts';
import { dayFamilies } from './1780000005000-day-families.ts';
import { labelJoining } from './1780000007000-label-joining.ts';

/** All migrations of schema `feedback` in the order of their numbers. Append only: one that ran is never edited. */
export const migrations: readonly Migration[] = [
  evidence,
  evidenceDays,
  deadLetters,
  labels,
  dayFamilies,
  labelJoining,
];
