import { describe, expect, it } from 'vitest';
import { Inflating } from './inflating.ts';

/** Messages say how they are inflated: "now", "later" or "bad", and their number. */
function start() {
  const events: string[] = [];
  const pending: (() => void)[] = [];
  const inflating: Inflating = new Inflating({
    inflate: (octets) => {
      const text = octets.toString();
      events.push(`inflate ${text}`);
      if (text.startsWith('bad')) throw new Error(text);
      if (text.startsWith('now')) return octets;
      return new Promise((resolve, reject) => {
        pending.push(() => (text.startsWith('later bad') ? reject(new Error(text)) : resolve(octets)));
      });
    },
    take: (octets, came) => {
      events.push(`take ${octets.toString()} ${came}`);
      if (octets.toString() === 'now pause') inflating.pause();
      if (octets.toString() === 'now throw') throw new Error('taken badly');
    },
    failed: (error) => events.push(`failed ${(error as Error).message}`),
    idle: () => events.push('idle'),
  });
  const add = (text: string, compressed = true): void => inflating.add(Buffer.from(text), compressed);
  const go = async (): Promise<string[]> => {
    pending.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    return events.splice(0);
  };
  return { inflating, events, add, go };
}

describe('messages that are inflated one after the other', () => {
  it('are there at once where they are small, and nobody hears of an end that was no wait', () => {
    const { inflating, events, add } = start();
    add('now 1');
    add('plain', false);
    expect([events, inflating.isBusy]).toEqual([['inflate now 1', 'take now 1 5', 'take plain 5'], false]);
  });

  it('wait for those before them, whether they are compressed or not', async () => {
    const { inflating, events, add, go } = start();
    for (const text of ['later 1', 'now 2']) add(text);
    add('plain', false);
    add('later 3');
    expect([events.splice(0), inflating.isBusy]).toEqual([['inflate later 1'], true]);
    expect(await go()).toEqual([
      ...['take later 1 7', 'inflate now 2', 'take now 2 5', 'take plain 5', 'inflate later 3'],
    ]);
    expect([await go(), inflating.isBusy]).toEqual([['take later 3 7', 'idle'], false]);
  });

  it('fail by themselves, at once or later', async () => {
    const { inflating, events, add, go } = start();
    for (const text of ['bad', 'now throw', 'later bad', 'now throw', 'now']) add(text);
    expect(events.splice(0)).toEqual([
      ...['inflate bad', 'failed bad', 'inflate now throw', 'take now throw 9', 'failed taken badly'],
      'inflate later bad',
    ]);
    expect(await go()).toEqual([
      ...['failed later bad', 'inflate now throw', 'take now throw 9', 'failed taken badly'],
      ...['inflate now', 'take now 3', 'idle'],
    ]);
    expect(inflating.isBusy).toBe(false);
  });

  it('stay as they came while it is paused, also by who takes one', async () => {
    const { inflating, events, add, go } = start();
    add('later 1');
    for (const text of ['now pause', 'now 2', 'later 3']) add(text);
    expect((await go()).slice(1)).toEqual(['take later 1 7', 'inflate now pause', 'take now pause 9']);
    add('plain', false);
    expect([events.splice(0), inflating.isBusy]).toEqual([[], true]);
    inflating.resume();
    inflating.resume();
    expect(events.splice(0)).toEqual(['inflate now 2', 'take now 2 5', 'inflate later 3']);
    inflating.pause();
    // The one that is being inflated is given, and no other.
    expect(await go()).toEqual(['take later 3 7']);
    inflating.resume();
    expect([events, inflating.isBusy]).toEqual([['take plain 5', 'idle'], false]);
  });

  it('that wait are forgotten when it is stopped', async () => {
    const { inflating, add, go } = start();
    for (const text of ['later 1', 'now 2', 'later 3']) add(text);
    inflating.stop();
    expect([await go(), inflating.isBusy]).toEqual([['inflate later 1', 'take later 1 7', 'idle'], false]);
  });
});
