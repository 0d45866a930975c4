import { retentionClasses } from '@sluice/domain/release';
import type { RetentionClass } from '@sluice/domain/release';
import { textProblem } from '@sluice/domain/text';
import { maxTextBytes } from '@sluice/evidence/layout';
import type { EvidenceContext, EvidenceRecord } from '@sluice/evidence/record';

const latestMs = Date.UTC(10_000, 0, 1);
/** The statuses of gRPC are numbered from 0 to this; statistics count on there being no others. */
const lastStatus = 16;

export function isRetentionClass(name: string): name is RetentionClass {
  return (retentionClasses as readonly string[]).includes(name);
}

/** Why records of a context cannot be stored, without any value; undefined when they can. */
export function contextProblem(context: EvidenceContext): string | undefined {
  if (!isRetentionClass(context.retentionClass)) return `its retention class is none of ${retentionClasses.join(', ')}`;
  for (const field of ['model', 'versionDigest', 'releaseId', 'seedId', 'arm', 'servedArm'] as const) {
    const problem = textProblem(context[field]);
    if (problem !== undefined) return `${field} ${problem}`;
    if (isLong(context[field])) return `${field} has more than ${maxTextBytes} bytes`;
  }
  for (const field of ['version', 'policyVersion'] as const)
    if (!Number.isSafeInteger(context[field]) || context[field] < 0) return `${field} is no whole number from 0`;
  return isProbability(context.propensity) ? undefined : 'propensity is not within 0 and 1';
}

/** The same for what a record has of its own. Its texts are no problem: they are the callers', and are stored as far as they can be. */
export function recordProblem(record: EvidenceRecord): string | undefined {
  const { receivedMs, keepProbability, timings } = record;
  if (!(receivedMs >= 0 && receivedMs < latestMs)) return 'receivedMs is no time from 1970 to 9999';
  if (!isProbability(keepProbability) || keepProbability === 0) return 'keepProbability is not above 0 and up to 1';
  for (const field of ['status', 'fallbackStatus'] as const)
    if (record[field] > lastStatus) return `${field} is no status of gRPC`;
  if (timings && !(timings.costMicros >= 0 && timings.costMicros < Infinity)) return 'costMicros is no number from 0';
  return undefined;
}

const isProbability = (value: number): boolean => value >= 0 && value <= 1;

const isLong = (text: string): boolean => text.length * 3 > maxTextBytes && Buffer.byteLength(text) > maxTextBytes;
