import { describe, expect, it } from 'vitest';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { AskedCache } from './asked-cache.ts';

function world(options: { capacity?: number; atOnce?: number; mostWaiting?: number } = {}) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const open: { key: string; answer: (value: string | undefined) => void; fail: (error: unknown) => void }[] = [];
  let hold = false;
  let ask: (key: string) => Promise<string | undefined> = (key) =>
    Promise.resolve(key.startsWith('no') ? undefined : `the ${key}`);
  const cache = new AskedCache<string>({
    ask: (key) => {
      asked.push(key);
      if (!hold) return ask(key);
      const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
      open.push({ key, answer: resolve, fail: reject });
      return promise;
    },
    ...{ clock, capacity: 3, freshMs: 100, unknownMs: 10, atOnce: 2, mostWaiting: 2, ...options },
  });
  return { clock, asked, open, cache, holdAll: () => (hold = true), askBy: (next: typeof ask) => (ask = next) };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};
const known = (key: string) => ({ state: 'known', value: `the ${key}` });

describe('what another service says', () => {
  it('is asked once, until it is no longer fresh; that there is none is fresh for less', async () => {
    const { cache, clock, asked } = world();
    expect(await Promise.all([cache.get('a'), cache.get('a'), cache.get('none')])).toEqual([
      ...[known('a'), known('a'), { state: 'unknown' }],
    ]);
    expect([cache.peek('a'), cache.peek('none'), cache.peek('b')]).toEqual([
      known('a'),
      { state: 'unknown' },
      undefined,
    ]);
    clock.advance(9);
    await cache.get('none');
    expect(asked).toEqual(['a', 'none']);
    clock.advance(1);
    await cache.get('none');
    expect(asked).toEqual(['a', 'none', 'none']);
    clock.advance(89);
    await cache.get('a');
    expect(asked).toHaveLength(3);
    clock.advance(1);
    expect(cache.peek('a')).toBeUndefined();
    expect(await cache.get('a')).toEqual(known('a'));
    expect(asked).toHaveLength(4);
  });

  it('stays known while that service is away, which is asked once a second', async () => {
    const { cache, clock, asked, askBy } = world();
    await Promise.all([cache.get('a'), cache.get('none')]);
    clock.advance(100);
    const error = unavailable('away');
    askBy(() => Promise.reject(error));
    expect(await cache.get('a')).toEqual(known('a'));
    expect(await cache.get('none')).toEqual({ state: 'away', error });
    expect(await cache.get('b')).toEqual({ state: 'away', error });
    expect(asked).toEqual(['a', 'none', 'a']);
    clock.advance(999);
    expect(await cache.get('b')).toEqual({ state: 'away', error });
    expect(asked).toHaveLength(3);
    clock.advance(1);
    askBy((key) => Promise.resolve(`the ${key}`));
    expect(await cache.get('b')).toEqual(known('b'));
    expect(await cache.get('none')).toEqual(known('none'));
  });

  it('keeps the failure of one question from the others', async () => {
    const { cache, clock, asked, askBy } = world();
    await cache.get('kept');
    clock.advance(100);
    const error = new SluiceError('internal', 'that one is broken');
    askBy((key) => (key === 'b' ? Promise.resolve('the b') : Promise.reject(error)));
    expect(await Promise.all([cache.get('a'), cache.get('b'), cache.get('kept')])).toEqual([
      ...[{ state: 'away', error }, known('b'), known('kept')],
    ]);
    await Promise.all([cache.get('a'), cache.get('kept')]);
    expect(asked).toEqual(['kept', 'a', 'b', 'kept']);
    clock.advance(1_000);
    await cache.get('a');
    expect(asked).toHaveLength(5);
  });

  it('is bounded: the one that was not used for the longest time makes room', async () => {
    const { cache, asked } = world();
    for (const key of ['a', 'b', 'c', 'a', 'd']) await cache.get(key);
    expect(cache.size).toBe(3);
    await cache.get('a');
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    await cache.get('b');
    expect(asked).toEqual(['a', 'b', 'c', 'd', 'b']);
  });

  it('is asked for a few things at once; others wait, and those that are too many are told so', async () => {
    const { cache, asked, open, holdAll } = world();
    holdAll();
    const answers = ['a', 'b', 'c', 'd', 'e'].map((key) => cache.get(key));
    await turns();
    expect(asked).toEqual(['a', 'b']);
    expect(await answers[4]).toMatchObject({ state: 'away', error: { message: 'too many questions wait' } });
    open[0]!.answer('the a');
    await turns();
    expect(asked).toEqual(['a', 'b', 'c']);
    open[1]!.fail(unavailable('away'));
    await turns();
    // The one that waited is not asked any more: nobody would answer.
    expect(asked).toEqual(['a', 'b', 'c']);
    expect(await answers[3]).toMatchObject({ state: 'away' });
    open[2]!.answer('the c');
    expect(await answers[2]).toEqual(known('c'));
    const [first, second] = [cache.get('x'), cache.get('y')];
    await turns();
    expect(asked).toEqual(['a', 'b', 'c', 'x', 'y']);
    open[3]!.answer('the x');
    open[4]!.answer('the y');
    expect(await Promise.all([first, second])).toEqual([known('x'), known('y')]);
  });
});
