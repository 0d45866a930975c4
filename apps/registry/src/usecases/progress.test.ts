import { describe, expect, it } from 'vitest';
import { Progress } from './progress.ts';

const collect = async (lines: AsyncGenerator<string, number, void>): Promise<readonly [readonly string[], number]> => {
  const seen: string[] = [];
  for (;;) {
    const step = await lines.next();
    if (step.done) return [seen, step.value];
    seen.push(step.value);
  }
};

describe('progress', () => {
  it('is read from the beginning by every follower, also one that comes late', async () => {
    const progress = new Progress<number>();
    progress.add('one');
    const early = collect(progress.follow());
    progress.add('two');
    progress.finish(7);
    progress.fail(new Error('too late'));
    expect(await early).toEqual([['one', 'two'], 7]);
    expect(await collect(progress.follow())).toEqual([['one', 'two'], 7]);
    expect(progress.ended).toBe(true);
  });

  it('ends in its error for every follower', async () => {
    const progress = new Progress<number>();
    const follower = collect(progress.follow());
    progress.fail(new Error('disk full'));
    await expect(follower).rejects.toThrow('disk full');
  });

  it('lets a follower leave while nothing happens', async () => {
    const leaving = new AbortController();
    const follower = collect(new Progress<number>().follow(leaving.signal));
    leaving.abort(new Error('left'));
    await expect(follower).rejects.toThrow('left');
  });
});
