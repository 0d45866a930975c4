import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { attemptWorld } from '../../test/attempt-world.ts';
import { settle } from '../../test/doubles.ts';
import { modelRoute } from '../../test/routes.ts';
import { inferBytes } from '../../test/world.ts';
import type { AttemptEnd, ObservedAttempt } from './attempt-observer.ts';

const model = modelRoute({ release: 3, placed: [3] });

/** A world in which answers wait until the test stores them. */
async function storingWorld(hasRoom: (count: number) => boolean = () => true, of = model) {
  const reserved: unknown[][] = [];
  const stored: { readonly line: string; done(failure?: SluiceError): void }[] = [];
  let released = 0;
  const world = await attemptWorld(
    of,
    { r1: [3], r2: [3] },
    {
      reserve(...request) {
        reserved.push(request);
        if (!hasRoom(reserved.length)) throw new SluiceError('resource-exhausted', 'no room');
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
    const { ask, arrived, told, inFlight, counted } = await storingWorld(() => false);
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

describe('a request of a sequence whose answer waits for its evidence', () => {
  const sequences = modelRoute({ release: 3, placed: [3], sequences: true });
  const sequence = { sequence_id: { kind: 'int64', value: 7n } } as const;
  const isStart = { sequence_start: { kind: 'bool', value: true } } as const;
  const step = (id: string) => inferBytes({ id, parameters: sequence });
  const start = (id: string) => inferBytes({ id, parameters: { ...sequence, ...isStart } });

  it('is answered when its record is on disk, the first and those after it', async () => {
    const { ask, arrived, stored } = await storingWorld(() => true, sequences);
    const asked = [ask({}, start('one')), ask({}, step('two'))];
    for (const [index, each] of asked.entries()) {
      arrived[index]!.answer(`answer ${index}`);
      expect(each.answers).toEqual([]);
      stored[index]!.done();
      expect(each.answers).toEqual([`answer ${index}`]);
    }
  });

  it('is not sent when there is no room, and its sequence goes on', async () => {
    const { ask, arrived } = await storingWorld((count) => count !== 2, sequences);
    ask({}, start('one'));
    expect(ask({}, step('two')).answers).toEqual(['resource-exhausted']);
    expect(arrived).toHaveLength(1);
    ask({}, step('three'));
    expect(arrived).toHaveLength(2);
  });

  it('is told of when it starts a sequence and there is no room, as others are', async () => {
    const { ask, told, counted } = await storingWorld(() => false, sequences);
    ask({}, start('one'));
    ask({}, step('two'));
    expect(told.map(({ error, version, reason, answered }) => [error?.kind, version.key, reason, answered])).toEqual([
      ['resource-exhausted', 'digits@3', 'only-arm', true],
    ]);
    expect(counted).toEqual(['digits@3 primary resource-exhausted 0']);
  });

  it('ends a sequence of its id when it starts one and there is no room', async () => {
    const { ask, arrived } = await storingWorld((count) => count !== 2, sequences);
    ask({}, start('one'));
    arrived[0]!.answer();
    expect(ask({}, start('again')).answers).toEqual(['resource-exhausted']);
    const lost = ask({}, step('two'));
    await settle();
    expect([lost.answers, arrived.length]).toEqual([['failed-precondition'], 1]);
  });
});

describe('a router that keeps no evidence', () => {
  it('refuses requests whose answers have to wait for it, with what to do', async () => {
    const given = { observed: false, mustStore: true };
    const { ask, arrived, inFlight } = await attemptWorld(model, { r1: [3] }, given);
    expect([ask().answers, arrived, inFlight.requests]).toEqual([['failed-precondition'], [], 0]);
  });
});
