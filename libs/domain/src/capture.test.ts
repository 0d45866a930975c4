import { describe, expect, it } from 'vitest';
import { changeCapture, checkCapture, defaultCapture, sameCapture } from './capture.ts';

describe('a capture policy', () => {
  it('changes by single fields, and is the same object where nothing changes', () => {
    const changed = changeCapture(defaultCapture, { rate: 0, request: false, redact: ['age'], durability: undefined });
    expect(changed).toEqual({ ...defaultCapture, rate: 0, redact: ['age'] });
    expect(changeCapture(changed, { redact: [] })).toEqual({ ...defaultCapture, rate: 0 });
    expect(changeCapture(changed, { rate: 0, redact: ['age'] })).toBe(changed);
    expect(changeCapture(changed, undefined)).toBe(changed);
  });

  it('is another one by any of its fields', () => {
    const others = {
      rate: 0.5,
      request: true,
      response: true,
      maxPayloadBytes: 1,
      durability: 'durable',
      retentionClass: 'long',
      redact: ['age'],
    } as const satisfies typeof defaultCapture;
    for (const [field, value] of Object.entries(others)) {
      expect(sameCapture(defaultCapture, { ...defaultCapture, [field]: value }), field).toBe(false);
    }
  });

  it.each([
    [{ rate: 0, maxPayloadBytes: 1 }],
    [{ rate: 1, maxPayloadBytes: 64 * 1024 * 1024, redact: ['a', 'x'.repeat(1_000)] }],
  ])('may be %j', (changes) => {
    expect(checkCapture(changeCapture(defaultCapture, changes))).toMatchObject(changes);
  });

  it.each([
    [{ rate: -0.1 }, 'capture.rate: -0.1 given; expected a share from 0 to 1'],
    [{ rate: 1.1 }, 'capture.rate: 1.1 given; expected a share from 0 to 1'],
    [{ rate: Number.NaN }, 'capture.rate: NaN given; expected a share from 0 to 1'],
    [{ maxPayloadBytes: 0 }, /^capture\.max_payload_bytes: 0 given; expected 1 to 67108864; .* turn request and/],
    [{ maxPayloadBytes: 64 * 1024 * 1024 + 1 }, /^capture\.max_payload_bytes: 67108865 given/],
    [{ redact: Array.from({ length: 257 }, (_, at) => `f${at}`) }, /^capture\.redact: 257 names given; .* 256$/],
    [{ redact: ['a', ''] }, /^capture\.redact: name 2 is empty/],
    [{ redact: ['x'.repeat(1_001)] }, /^capture\.redact: name 1 is empty or longer than 1000/],
    [{ redact: ['a', 'b', 'a'] }, 'capture.redact: "a" is given twice'],
  ])('may not be %j', (changes, message) => {
    expect(() => checkCapture(changeCapture(defaultCapture, changes))).toThrow(message);
  });
});
