import type { FollowedRow as Sent } from '@sluice/contracts/gen/sluice/feedback/v1/FollowedRow';
import type { FollowedEvidence, FollowedLabel, FollowedOutcome, FollowedRow } from '../follow/row.ts';
import { timestampOfMicros as at } from './scalars.ts';

/** A row as subscribers get it. */
export function encodeRow(row: FollowedRow): Sent {
  switch (row.kind) {
    case 'evidence':
      return { evidence: evidence(row) };
    case 'label':
      return { label: label(row) };
    case 'outcome':
      return { outcome: outcome(row) };
  }
}

function evidence({ receivedMicros, ingestedMicros, ...row }: FollowedEvidence) {
  return { ...row, receivedAt: at(receivedMicros), ingestedAt: at(ingestedMicros) };
}

function label({ labelledMicros, recordedMicros, ...row }: FollowedLabel) {
  return { ...row, labelledAt: perhaps(labelledMicros), recordedAt: at(recordedMicros) };
}

function outcome({ receivedMicros, labelledMicros, labelRecordedMicros, ...row }: FollowedOutcome) {
  return {
    ...row,
    ...{ receivedAt: at(receivedMicros), labelledAt: perhaps(labelledMicros) },
    labelRecordedAt: at(labelRecordedMicros),
  };
}

const perhaps = (micros: number | undefined) => (micros === undefined ? null : at(micros));
