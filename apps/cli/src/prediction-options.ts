import type { LabelPolicy } from '@sluice/contracts/gen/sluice/feedback/v1/LabelPolicy';
import { InvalidArgumentError } from 'commander';
import { list } from './options.ts';

const units = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds of a duration: `90s`, `15m`, `24h`, `7d`. */
export function seconds(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('Expected a duration such as 90s, 15m, 24h or 7d.');
  return Number(count) * units[unit as keyof typeof units];
}

/** A point in time: as ISO 8601 has it, or a duration for so long ago. */
export type Moment = { readonly ms: number } | { readonly agoMs: number };

export function moment(text: string): Moment {
  if (/^\d+[smhd]$/.test(text)) return { agoMs: seconds(text) * 1000 };
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || !/^\d{4}-\d\d-\d\d/.test(text))
    throw new InvalidArgumentError('Expected a time such as 2026-11-22T14:03:05Z, or how long ago, such as 24h.');
  return { ms };
}

/** A moment as a message; null where none is given. */
export function momentMessage(moment: Moment | undefined, nowMs: number) {
  if (!moment) return null;
  const ms = 'ms' in moment ? moment.ms : nowMs - moment.agoMs;
  return { seconds: Math.floor(ms / 1000), nanos: Math.round((ms - Math.floor(ms / 1000) * 1000) * 1e6) };
}

/** Which label of a row counts: `latest`, or `trusted=SOURCE,SOURCE`. */
export function labelPolicy(text: string): LabelPolicy {
  if (text === 'latest') return { resolution: 'LABEL_RESOLUTION_LATEST' };
  const trustedSources = text.startsWith('trusted=') ? list(text.slice('trusted='.length)) : [];
  if (trustedSources.length === 0) throw new InvalidArgumentError('Expected latest, or trusted=SOURCE,SOURCE.');
  return { resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST', trustedSources: [...trustedSources] };
}

/** Version numbers with commas between them. */
export function versionNumbers(text: string): readonly string[] {
  const numbers = list(text);
  if (numbers.length === 0 || !numbers.every((each) => /^[1-9]\d{0,14}$/.test(each)))
    throw new InvalidArgumentError('Expected version numbers with commas between.');
  return numbers;
}
