import { describe, expect, it } from 'vitest';
import { readInteger, readTimestamp, readVersion, timestamp } from './scalars.ts';

describe('scalars of requests', () => {
  it('are times to the millisecond, before 1970 too', () => {
    for (const ms of [0, 1, 1_763_820_000_123, -1, -1_500]) {
      const { seconds, nanos } = timestamp(ms);
      expect(nanos).toBeGreaterThanOrEqual(0);
      expect(readTimestamp({ seconds: String(seconds), nanos }, 'time')).toBe(ms);
    }
    expect(() => readTimestamp(null, 'time')).toThrow(/^time: missing/);
    for (const iso of ['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']) {
      const { seconds, nanos } = timestamp(Date.parse(iso));
      expect(new Date(readTimestamp({ seconds: String(seconds), nanos }, 'time')).toISOString()).toBe(iso);
      const beyond = String(seconds + Math.sign(seconds));
      expect(() => readTimestamp({ seconds: beyond, nanos }, 'time')).toThrow(
        /^time: -?\d+ seconds .* from the year 1 to/,
      );
    }
    expect(() => readTimestamp({ seconds: '9'.repeat(18), nanos: 0 }, 'time')).toThrow(/^time: /);
    expect(() => readTimestamp({ seconds: '0', nanos: -1 }, 'time')).toThrow(/^time: -1 nanos/);
  });

  it('are whole numbers that JavaScript can hold', () => {
    expect(readInteger('9007199254740991', 'size')).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => readInteger('9007199254740993', 'size')).toThrow(/^size: 9007199254740993 given/);
    expect(() => readVersion('0')).toThrow(/^version: 0 or missing/);
  });
});
