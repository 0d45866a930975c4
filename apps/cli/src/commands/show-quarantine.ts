import type { Quarantine__Output } from '@sluice/contracts/gen/sluice/registry/v1/Quarantine';
import { wayOut } from '@sluice/domain/quarantine';
import { showTable, showTime } from '../format.ts';

/** The quarantines of a version in words, with the way out; '' for none. */
export const describeQuarantines = (quarantines: readonly Quarantine__Output[]): string =>
  quarantines
    .map((one) => `in pool ${one.pool} since ${showTime(one.since)}: ${one.reason}\n${wayOut(one)}`)
    .join('\n');

/** Quarantines of any versions as a table. */
export const showQuarantines = (quarantines: readonly Quarantine__Output[]): string =>
  showTable(
    ['quarantined', 'pool', 'since', 'why'],
    quarantines.map((one) => [`${one.model}:${one.version}`, one.pool, showTime(one.since), one.reason]),
  );
