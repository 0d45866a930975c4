import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { attemptWorld } from '../../test/attempt-world.ts';
import { settle } from '../../test/doubles.ts';
import { modelRoute } from '../../test/routes.ts';
import type { AttemptEnd, ObservedAttempt } from './attempt-observer.ts';

const model = modelRoute({ release: 3, placed: [3] });

/** A world in which answers wait until the test stores them. */
async function storingWorld(roomFor = 1) {
  const reserved: unknown[][] = [];
  const stored: { readonly line: string; done(failure?: SluiceError): void }[] = [];
  let released = 0;
  const world = await attemptWorld(
    model,
    { r1: [3], r2: [3] },
    {
      reserve(...request) {
        reserved.push(request);
        if (reserved.length > roomFor) throw new SluiceError('resource-exhausted', 'no room');
        return {
          store(attempt: ObservedAttempt, end: AttemptEnd, done) {
            stored.push({
              line: `${attempt.version.key} ${attempt.attempt} ${end.endedMs} ${String(end.answer)}`,
              done,
            });
          },
          release: () => {
            released++;
          },
        };
      },
    },
  );
  return { ...world, reserved, stored, releases: () => released };
}

describe('an answer that waits for its evidence', () => {
  it('has room before the request is sent, and is given when its record is on disk', async () => {
    const { ask, arrived, clock, reserved, stored, told, inFlight, releases } = await storingWorld();
    const asked = ask();
    expect(reserved).toEqual([['digits', asked.predictionId, expect.any(Number)]]);
    clock.advance(7);
    arrived[0]!.answer('yes');
    expect([stored.map(({ line }) => line), asked.answers, inFlight.requests]).toEqual([['digits@3 1 7 yes'], [], 1]);
    stored[0]!.done();
    expect([asked.answers, inFlight.requests, releases()]).toEqual([['yes'], 0, 0]);
    // It is not told a second time.
    expect(told).toEqual([]);
  });

  it('is refused without running the model when there is no room', async () => {
    const { ask, arrived, told, inFlight, counted } = await storingWorld(0);
    expect(ask().answers).toEqual(['resource-exhausted']);
    expect([arrived, inFlight.requests]).toEqual([[], 0]);
    expect(told.map(({ error, runtimeId, answered }) => [error?.kind, runtimeId, answered])).toEqual([
      ['resource-exhausted', '', true],
    ]);
    expect(counted).toEqual(['digits@3 primary resource-exhausted 0']);
  });

  it('is a failure when its record does not get to the disk', async () => {
    const { ask, arrived, stored, counted } = await storingWorld();
    const asked = ask();
    arrived[0]!.answer('yes');
    stored[0]!.done(new SluiceError('unavailable', 'the disk is gone'));
    expect([asked.answers, counted]).toEqual([['unavailable'], ['digits@3 primary unavailable 0']]);
  });

  it('gives the room back when the request fails, and its record goes the way of all others', async () => {
    const { ask, arrived, told, stored, releases } = await storingWorld();
    const asked = ask();
    arrived[0]!.fail('answered', 'invalid-argument');
    expect([asked.answers, releases(), stored]).toEqual([['invalid-argument'], 1, []]);
    expect(told.map(({ error }) => error?.kind)).toEqual(['invalid-argument']);
  });

  it('gives the room back when its caller leaves', async () => {
    const { ask, told, releases, inFlight } = await storingWorld();
    ask().cancel('cancelled');
    expect([releases(), inFlight.requests, told.map(({ error }) => error?.kind)]).toEqual([1, 0, ['cancelled']]);
  });

  it('is given to nobody when its caller leaves before its record is on disk', async () => {
    const { ask, arrived, told, stored, releases, inFlight } = await storingWorld();
    const asked = ask();
    arrived[0]!.answer('yes');
    asked.cancel('cancelled');
    expect(inFlight.requests).toBe(0);
    stored[0]!.done();
    await settle();
    expect([asked.answers, told, releases(), inFlight.requests]).toEqual([[], [], 0, 0]);
  });
});

describe('a router that keeps no evidence', () => {
  it('refuses requests whose answers have to wait for it, with what to do', async () => {
    const given = { observed: false, mustStore: true };
    const { ask, arrived, inFlight } = await attemptWorld(model, { r1: [3] }, given);
    expect([ask().answers, arrived, inFlight.requests]).toEqual([['failed-precondition'], [], 0]);
  });
});
