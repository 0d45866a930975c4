import { randomUUID } from 'node:crypto';
import type { EvidenceRecord } from '@sluice/evidence/record';

/** A record of `nowMs` that nothing is wrong with, for a table that has refused others. Never stored. */
export function canary(nowMs: number): EvidenceRecord {
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  return {
    context: {
      ...{ model: 'canary', version: 1, versionDigest: '0'.repeat(64), releaseId: '', seedId: '', policyVersion: 0 },
      ...{ arm: '', servedArm: '', role: 'primary', propensity: 1, retentionClass: 'standard' },
    },
    predictionId: `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`,
    ...{ attempt: 1, answered: true, reason: 'only-arm', status: 0, fallbackStatus: 0, receivedMs: nowMs },
    ...{ sentMicros: 1, endedMicros: 2, rows: 1, keepProbability: 1, unitHash: undefined, inputHash: undefined },
    timings: { queueMicros: 1, runMicros: 1, totalMicros: 2, batchRows: 1, costMicros: 1 },
    ...{ requestId: '', subject: '', caller: '', traceId: '', rule: '', runtime: '' },
    ...{ requestState: 'off', request: undefined, responseState: 'off', response: undefined },
  };
}
