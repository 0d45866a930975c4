import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { Runtime } from '../../test/forward-world.ts';
import { draws, modelRoute } from '../../test/routes.ts';
import type { ModelFacts } from '../../test/routes.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import type { ArmRoute } from './release-route.ts';
import { Shadows } from './shadows.ts';
import type { ShadowBounds } from './shadows.ts';

const facts: ModelFacts = {
  release: { arms: { primary: [3, 'PRIMARY', 1], s: [4, 'SHADOW', 1], t: [5, 'SHADOW', 1] } },
  placed: [3, 4, 5],
};
const bounds: ShadowBounds = { copies: 100, inFlight: 10, bytes: 1_000, deadlineMs: 500 };

function setUp(given: Partial<ShadowBounds> = {}, model = modelRoute(facts)) {
  const clock = new FakeClock();
  const runtimes: Record<string, Runtime[]> = { 'digits@4': [new Runtime('a')], 'digits@5': [new Runtime('b')] };
  const turns: (() => void)[] = [];
  const told: string[] = [];
  const ended: string[] = [];
  const shadows = new Shadows({
    ...{ clock, random: draws(0), bounds: { ...bounds, ...given } },
    readyFor: (key) => (runtimes[key] ?? []) as unknown as RuntimeLink[],
    breakerOf: (link) => (link as unknown as Runtime).versionBreaker,
    defer: (fn) => void turns.push(fn),
    onEnded: (version, arm, error) => void ended.push(`${version.key} ${arm.name} ${error?.kind ?? 'ok'}`),
    observer: {
      attemptEnded(
        { predictionId, assigned, served, reason, rule, attempt, runtimeId, sentMs, message },
        { endedMs, error, answered, answer },
      ) {
        expect([assigned, reason, rule, attempt, answered]).toEqual([served, 'shadow', '', 1, false]);
        const how = error ? error.kind : String(answer);
        const text = Buffer.from(message).toString();
        told.push(`${predictionId} ${assigned!.name} ${runtimeId} ${text}: ${how} ${sentMs}-${endedMs}`);
      },
    },
  });
  const mirror = (
    message: Uint8Array = Buffer.from('hello'),
    arms: readonly ArmRoute[] = model.release!.shadows.slice(0, 1),
  ) =>
    shadows.mirror(
      {
        ...{
          predictionId: 'p',
          receivedMs: 0,
          requestId: 'r',
          traceparent: 't',
          metadata: { traceparent: 't' },
          message,
        },
        said: { subject: undefined, unit: undefined, arm: undefined, caller: undefined },
      },
      model,
      arms,
    );
  /** Ends the turn. */
  const turn = (): void => {
    for (const fn of turns.splice(0)) fn();
  };
  return { clock, shadows, mirror, turn, turns, told, ended, runtimes, model };
}

describe('Shadows', () => {
  it('sends copies when the turn of the answer is over, to each arm as its version, and tells how they ended', () => {
    const { mirror, turn, told, ended, runtimes, model, clock, shadows } = setUp();
    const [a, b] = [runtimes['digits@4']![0]!, runtimes['digits@5']![0]!];
    mirror(undefined, model.release!.shadows);
    expect([a.sent.length, b.sent.length, shadows.waiting]).toEqual([0, 0, 2]);
    turn();
    expect(a.sent[0]!.options).toEqual({
      deadlineMs: clock.now() + 500,
      suffix: model.placed.get(4)!.override,
      metadata: { traceparent: 't' },
    });
    clock.advance(7);
    b.fail('answered', 'internal');
    a.answer('yes');
    expect(ended).toEqual(['digits@5 t internal', 'digits@4 s ok']);
    const since = clock.monotonic() - 7;
    expect(told).toEqual([
      `p t id of b hello: internal ${since}-${since + 7}`,
      `p s id of a hello: yes ${since}-${since + 7}`,
    ]);
    expect([shadows.waiting, shadows.inFlight, shadows.bytes]).toEqual([0, 0, 0]);
    expect([a.breaker.results, b.breaker.results]).toEqual([['succeeded'], ['failed']]);
  });

  it('never sends a copy twice', () => {
    const { mirror, turn, ended, runtimes } = setUp();
    const [a, other] = [runtimes['digits@4']![0]!, new Runtime('c')];
    runtimes['digits@4']!.push(other);
    for (const [origin, kind] of [['lost'], ['unsent'], ['answered', 'unavailable']] as const) {
      mirror();
      turn();
      a.fail(origin, kind);
      turn();
    }
    expect([ended.length, a.sent.length, other.sent.length]).toEqual([3, 3, 0]);
  });

  it('has so many in flight, and so many with those that wait; what is more is dropped', () => {
    const { shadows, mirror, turn, runtimes, ended } = setUp({ copies: 5, inFlight: 2 });
    const a = runtimes['digits@4']![0]!;
    for (let index = 0; index < 7; index++) mirror(Buffer.from(`${index}`));
    expect(shadows.dropped).toEqual({ copies: 2, bytes: 0, stopping: 0 });
    turn();
    expect([shadows.inFlight, shadows.waiting, a.sent.length]).toEqual([2, 3, 2]);
    a.answer();
    expect(a.sent).toHaveLength(2);
    turn();
    expect([shadows.inFlight, shadows.waiting, a.sent.length]).toEqual([2, 2, 3]);
    mirror(Buffer.from('later'));
    expect(shadows.dropped.copies).toBe(2);
    for (let step = 0; step < 5; step++) {
      a.answer();
      turn();
    }
    // In their order, each once.
    expect(a.sent.map(({ message }) => Buffer.from(message).toString())).toEqual(['0', '1', '2', '3', '4', 'later']);
    expect([ended.length, shadows.inFlight, shadows.waiting, shadows.bytes]).toEqual([6, 0, 0, 0]);
  });

  it('holds so many bytes until they are answered, and drops what is more', () => {
    const { shadows, mirror, turn, runtimes } = setUp({ bytes: 10, inFlight: 1 });
    mirror(Buffer.alloc(6));
    mirror(Buffer.alloc(5));
    mirror(Buffer.alloc(4));
    mirror(Buffer.alloc(11));
    turn();
    expect([shadows.bytes, shadows.dropped.bytes]).toEqual([10, 2]);
    runtimes['digits@4']![0]!.answer();
    expect(shadows.bytes).toBe(4);
  });

  it('gives up those that are in flight at a stop, in whatever order others have ended', () => {
    const { shadows, mirror, turn, runtimes } = setUp();
    const each = ['a', 'b', 'c', 'd'].map((address) => new Runtime(address));
    for (const runtime of each) {
      runtimes['digits@4'] = [runtime];
      mirror();
      turn();
    }
    for (const index of [0, 3, 1]) each[index]!.answer();
    expect(shadows.inFlight).toBe(1);
    shadows.stop();
    expect(each.map(({ cancelled }) => cancelled)).toEqual([0, 0, 1, 0]);
  });

  it('goes through thousands in order with a short line in memory', () => {
    const { shadows, mirror, turn, runtimes, ended } = setUp({ inFlight: 3 });
    const a = runtimes['digits@4']![0]!;
    for (let index = 0; index < 3_000; index++) {
      // Each lies in what its connection has read.
      const view = Buffer.concat([Buffer.alloc(4), Buffer.from(`${index}`)]).subarray(4);
      if (index % 3 === 0) mirror(view);
      mirror(view);
      turn();
      while (shadows.waiting > 20) {
        a.answer();
        turn();
      }
    }
    while (shadows.inFlight > 0) {
      a.answer();
      turn();
    }
    expect([ended.length, shadows.bytes, shadows.dropped.copies]).toEqual([4_000, 0, 0]);
    const order = a.sent.map(({ message }) => Number(Buffer.from(message).toString()));
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    for (const { message } of a.sent) expect(message.buffer.byteLength).toBe(message.byteLength);
  });

  it('keeps nothing of what its connection read beside a message, and does not copy what is alone', () => {
    const { mirror, turn, runtimes, model } = setUp({ bytes: 1_000_000 });
    const [a, b] = [runtimes['digits@4']![0]!, runtimes['digits@5']![0]!];
    const chunk = Buffer.alloc(65_536, 'x');
    mirror(chunk.subarray(100, 110), model.release!.shadows);
    const alone = new Uint8Array(50_000);
    mirror(alone);
    // The connection may read on into it when the turn is over.
    turn();
    chunk.fill('y');
    const { message } = a.sent[0]!;
    expect([message.buffer.byteLength, Buffer.from(message).toString()]).toEqual([10, 'xxxxxxxxxx']);
    expect(b.sent[0]!.message).toBe(message);
    expect(a.sent[1]!.message).toBe(alone);
  });

  it('ends a copy that waited until its deadline, which runs from the answer on', () => {
    const { mirror, turn, told, runtimes, clock } = setUp({ inFlight: 1 });
    const a = runtimes['digits@4']![0]!;
    for (let index = 0; index < 3; index++) mirror();
    turn();
    clock.advance(499);
    a.answer();
    turn();
    expect(a.sent[1]!.options.deadlineMs).toBe(clock.now() + 1);
    clock.advance(1);
    a.fail('local', 'deadline-exceeded');
    turn();
    expect(a.sent).toHaveLength(2);
    expect(told.at(-1)).toMatch(/^p s {2}hello: deadline-exceeded /);
  });

  it('goes nowhere, and says so, when the version is not ready or all breakers are open', () => {
    const { mirror, turn, told, runtimes } = setUp();
    const a = runtimes['digits@4']![0]!;
    a.breaker.open = true;
    mirror();
    turn();
    runtimes['digits@4'] = [];
    mirror();
    turn();
    expect([a.sent.length, told.map((text) => text.replace(/ [\d.]+-[\d.]+$/, ''))]).toEqual([
      0,
      ['p s  hello: unavailable', 'p s  hello: unavailable'],
    ]);
  });

  it('sends nothing to a version in quarantine, and makes no copies where none are wanted', () => {
    const held = modelRoute({ ...facts, placed: [3], unplaced: [4, 5], quarantined: { 4: 'it ended runtimes' } });
    const quarantined = setUp({}, held);
    quarantined.mirror();
    const off = setUp({ copies: 0 });
    off.mirror();
    for (const { shadows, turns } of [quarantined, off])
      expect([shadows.waiting, shadows.dropped.copies, turns.length]).toEqual([0, 0, 0]);
  });

  it('goes on when a link cannot take a copy at all', () => {
    const { mirror, turn, ended, runtimes, shadows } = setUp();
    const a = runtimes['digits@4']![0]!;
    a.isClosed = true;
    mirror();
    turn();
    a.isClosed = false;
    mirror();
    turn();
    a.answer();
    expect([ended, a.breaker.results, shadows.bytes]).toEqual([
      ['digits@4 s internal', 'digits@4 s ok'],
      ['released', 'succeeded'],
      0,
    ]);
  });

  it('drops all when the router stops, and takes no more', () => {
    const { shadows, mirror, turn, told, runtimes } = setUp({ inFlight: 2 });
    const a = runtimes['digits@4']![0]!;
    for (let index = 0; index < 5; index++) mirror();
    turn();
    mirror();
    shadows.stop();
    turn();
    a.fail('local', 'cancelled');
    mirror();
    expect([a.sent.length, a.cancelled, told]).toEqual([2, 2, []]);
    expect([shadows.waiting, shadows.inFlight, shadows.bytes, shadows.dropped.stopping]).toEqual([0, 0, 0, 7]);
  });
});
