import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { readCursor } from './cursor.ts';
import { away, FakeSource } from './fake-source.ts';
import { Gate } from '../gate.ts';
import { beforeTransaction } from './position.ts';
import { tablesOf } from './read-page.ts';
import type { Message } from './subscription.ts';
import { Subscriptions } from './subscriptions.ts';
import { Tail } from './tail.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
};

function world({ most = 10 } = {}) {
  const clock = new FakeClock();
  const source = new FakeSource();
  const tail = new Tail({ source, clock, everyMs: 100 });
  const subscriptions = new Subscriptions({
    ...{ source, tail, clock, most, gate: new Gate(2), available: () => undefined, onSent: () => undefined },
  });
  tail.start();
  /** A subscriber that takes each message at once. */
  const follow = (from: string, tables = tablesOf([])) => {
    const end = new AbortController();
    const messages: Message[] = [];
    const begin = from === 'oldest' || from === 'now' ? from : readCursor(from);
    const done = (async () => {
      const request = { from: begin, filter: { tables, model: '' }, heartbeatMs: 1_000 } as const;
      for await (const message of subscriptions.follow(request, end.signal)) messages.push(message);
    })().then(
      () => 'ended',
      (error: unknown) => (error as Error).message,
    );
    return {
      ...{ messages, done, end: () => end.abort() },
      names: () => messages.flatMap(({ rows }) => rows.map(({ predictionId }) => predictionId)),
    };
  };
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await turns();
  };
  return { clock, source, tail, subscriptions, follow, advance };
}

describe('a subscriber', () => {
  it('begins with a cursor at once, gets rows with the next look, and a heartbeat when none came for as long as it says', async () => {
    const { source, follow, advance, clock } = world();
    const old = source.add(0, 5n);
    const [one, other] = [follow('oldest'), follow('now')];
    await turns();
    expect([one.names(), other.names()]).toEqual([old, []]);
    expect(other.messages.map(({ more }) => more)).toEqual([false]);
    expect(one.messages.map(({ more, rows }) => [more, rows.length])).toEqual([
      [true, 0],
      [false, 1],
    ]);
    const next = source.add(3, 9n);
    await advance(99);
    expect(other.names()).toEqual([]);
    await advance(1);
    expect([one.names(), other.names()]).toEqual([[...old, ...next], next]);
    const count = other.messages.length;
    for (let step = 0; step < 9; step++) await advance(100);
    expect(other.messages).toHaveLength(count);
    await advance(100);
    expect(other.messages.slice(count).map(({ rows }) => rows)).toEqual([[]]);
    one.end();
    other.end();
    expect([await one.done, await other.done]).toEqual(['ended', 'ended']);
    await advance(100);
    // Only the next look waits.
    expect(clock.pendingTimers).toBe(1);
  });

  it('of which there are many looks no more often than one', async () => {
    const { source, follow, advance } = world();
    const all = Array.from({ length: 8 }, () => follow('now'));
    await turns();
    const before = source.looks;
    // The first look is for the first of them, one more is for all who came while it was under way.
    expect(before).toBe(2);
    for (let step = 0; step < 10; step++) await advance(100);
    expect(source.looks - before).toBe(10);
    for (const each of all) each.end();
    await turns();
    for (let step = 0; step < 14; step++) await advance(1_000);
    expect(source.looks - before).toBe(11);
    await advance(2_000);
    expect(source.looks - before).toBe(12);
  });

  it('stands behind the last row, never at a number that has no rows', async () => {
    const { source, follow, advance } = world();
    source.add(0, 5n);
    const [one, none] = [follow('oldest'), follow('oldest', tablesOf(['label']))];
    await turns();
    for (const { messages } of [one, none])
      expect(readCursor(messages.at(-1)!.cursor).position.transaction).toBeLessThanOrEqual(6n);
    source.frontier = 200n;
    const later = source.add(1, 90n);
    await advance(100);
    expect(one.names()).toHaveLength(2);
    for (let step = 0; step < 10; step++) await advance(100);
    expect(readCursor(none.messages.at(-1)!.cursor).position).toEqual(beforeTransaction(6n));
    // As after a crash: a number below the frontier of before.
    const again = source.add(0, 95n);
    await advance(100);
    expect(one.names().slice(1)).toEqual([...later, ...again]);
    one.end();
    none.end();
  });

  it('that is overtaken by the end of a day is told, with a cursor that goes on where it stood', async () => {
    const { source, follow, advance } = world();
    const read = source.add(0, 5n, 1_000);
    source.add(0, 7n, 10);
    const kept = source.add(0, 8n, 10);
    source.onRead = () => {
      // Gone between its first page and its second.
      if (source.reads.length === 2) source.lose(7n);
    };
    const slow = follow('oldest');
    const message = await slow.done;
    expect(slow.names()).toEqual(read);
    expect(message).toMatch(/rows behind it have expired and were not sent; the first valid cursor/);
    const next = follow(/, is (\S+)$/.exec(message)![1]!);
    await advance(100);
    expect(next.names()).toEqual(kept);
    next.end();
    // A loss of rows that it has read is none.
    const ahead = follow(next.messages.at(-1)!.cursor);
    await turns();
    source.lose(8n);
    source.add(0, 9n);
    await advance(100);
    expect(ahead.names()).toHaveLength(1);
    ahead.end();
  });

  it('ends when the tables cannot be looked at, were put back, or are of another history', async () => {
    const { source, follow, advance } = world();
    source.add(0, 5n);
    const first = follow('now');
    await turns();
    source.failure = away;
    await advance(100);
    expect(await first.done).toBe('away');
    source.failure = undefined;
    const second = follow(first.messages.at(-1)!.cursor);
    await advance(100);
    source.history = { ...source.history, timeline: 2 };
    await advance(100);
    expect(await second.done).toMatch(/of timeline 1 of the database, which is at 2/);
    const third = follow('now');
    await turns();
    source.frontier = 5n;
    await advance(100);
    expect(await third.done).toMatch(/ahead of all that the database has/);
  });

  it('is refused when there are too many, and when this process stops', async () => {
    const { subscriptions, follow, tail } = world({ most: 1 });
    const first = follow('now');
    await turns();
    expect(await follow('now').done).toMatch(/^1 subscribers are here: .* SLUICE_MAX_SUBSCRIBERS$/);
    expect(subscriptions.open).toBe(1);
    subscriptions.drain();
    expect(await first.done).toMatch(/is stopping: go on from the last cursor/);
    expect(await follow('now').done).toMatch(/is stopping: go on/);
    expect(subscriptions.open).toBe(0);
    tail.close();
  });
});
