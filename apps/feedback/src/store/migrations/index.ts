import type { Migration } from '@sluice/persistence/migrator';
import { evidence } from './1780000001000-evidence.ts';
import { evidenceDays } from './1780000002000-evidence-days.ts';
import { deadLetters } from './1780000003000-dead-letters.ts';
import { labels } from './1780000004000-labels.ts';
import { dayFamilies } from './1780000005000-day-families.ts';
import { follow } from './1780000006000-follow.ts';
import { labelJoining } from './1780000007000-label-joining.ts';
import { subjectKeys } from './1780000010000-subject-keys.ts';
import { erasures } from './1780000011000-erasures.ts';
import { erasureUpkeep } from './1780000012000-erasure-upkeep.ts';

/** All migrations of schema `feedback` in the order of their numbers. Append only: one that ran is never edited. */
export const migrations: readonly Migration[] = [
  ...[evidence, evidenceDays, deadLetters, labels, dayFamilies, follow],
  ...[labelJoining, subjectKeys, erasures, erasureUpkeep],
];
