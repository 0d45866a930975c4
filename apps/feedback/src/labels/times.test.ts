import { describe, expect, it } from 'vitest';
import { textMs, timeText } from './times.ts';

describe('times of the database', () => {
  it('are read as it writes them, in any zone', () => {
    const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    for (const text of [
      ...['2026-01-02 03:04:05.678+00', '2026-01-02 03:04:05.678901+00', '2026-01-02 08:34:05.678+05:30'],
      ...['2026-01-01 22:04:05.678-05', '2026-01-02T03:04:05.678Z'],
    ])
      expect(textMs(text), text).toBe(ms);
    expect(textMs(timeText(ms * 1_000 + 5)!)).toBe(ms);
    expect(textMs('2026-01-02 03:04:05+00')).toBe(ms - 678);
    expect(textMs('infinity')).toBeNaN();
  });
});
