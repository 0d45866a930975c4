import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { readCallMetadata } from './call-metadata.ts';
import { InFlight } from './in-flight.ts';

describe('InFlight', () => {
  it('takes N requests and turns the next away with a time to wait', () => {
    const inFlight = new InFlight({ requests: 2, bytes: 0 });
    inFlight.enter(10);
    inFlight.enter(10);
    try {
      inFlight.enter(10);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SluiceError);
      expect(error).toMatchObject({ kind: 'resource-exhausted', retryAfterMs: 100 });
      expect(String(error)).toContain('2 requests are in flight, its bound is 2');
    }
    expect([inFlight.requests, inFlight.bytes, inFlight.turnedAway]).toEqual([2, 20, 1]);
    inFlight.leave(10);
    inFlight.enter(10);
  });

  it('takes exactly its bytes, and one larger request when it is alone', () => {
    const inFlight = new InFlight({ requests: 0, bytes: 100 });
    inFlight.enter(60);
    inFlight.enter(40);
    expect(() => inFlight.enter(1)).toThrow('requests in flight hold 100 bytes, its bound is 100');
    inFlight.leave(60);
    inFlight.leave(40);
    inFlight.enter(500);
    expect(() => inFlight.enter(1)).toThrow('hold 500 bytes');
  });
});

describe('readCallMetadata', () => {
  it('reads the four keys, empty as absent', () => {
    const given: Record<string, string> = { 'sluice-subject': 's', 'sluice-arm': '', 'sluice-caller': 'c' };
    expect(readCallMetadata({ metadata: (key) => given[key] })).toEqual({
      subject: 's',
      unit: undefined,
      arm: undefined,
      caller: 'c',
    });
  });

  it('takes 256 bytes and refuses 257, counting bytes and not characters', () => {
    for (const key of ['sluice-subject', 'sluice-unit', 'sluice-arm', 'sluice-caller']) {
      const read = (value: string) => readCallMetadata({ metadata: (asked) => (asked === key ? value : undefined) });
      expect(() => read('a'.repeat(256))).not.toThrow();
      expect(() => read('a'.repeat(257))).toThrow(`metadata ${key}: expected at most 256 bytes, got 257`);
      expect(() => read('é'.repeat(129))).toThrow('got 258');
    }
  });

  it('refuses a subject that an order to erase could not name: what is no ASCII', () => {
    const read = (subject: string) =>
      readCallMetadata({ metadata: (key) => (key === 'sluice-subject' ? subject : undefined) }).subject;
    expect(read(' ~ J%C3%BCrg')).toBe(' ~ J%C3%BCrg');
    for (const bad of ['Jürg', 'a\tb', 'a\0', 'a\x7f'])
      expect(() => read(bad), bad).toThrow('metadata sluice-subject: expected printable ASCII');
  });
});
