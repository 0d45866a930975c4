import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

/** Work that ends when the test says so. */
function work() {
  const ended = Promise.withResolvers<undefined>();
  const state = { begun: false, end: () => ended.resolve(undefined), fail: () => ended.reject(new Error('failed')) };
  return Object.assign(state, {
    run: async () => {
      state.begun = true;
      await ended.promise;
    },
  });
}
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

describe('turns', () => {
  it('are taken in order, as many at once as there is room for', async () => {
    const turns = new Turns(2, 10);
    const jobs = [work(), work(), work(), work()];
    const runs = jobs.map((job) => turns.run(job.run));
    await settle();
    expect([jobs.map((job) => job.begun), turns.waiting]).toEqual([[true, true, false, false], 2]);
    jobs[1]!.end();
    await settle();
    expect(jobs.map((job) => job.begun)).toEqual([true, true, true, false]);
    for (const job of jobs) job.end();
    await Promise.all(runs);
    expect(turns.waiting).toBe(0);
  });

  it('pass on when one fails', async () => {
    const turns = new Turns(1, 10);
    const [bad, good] = [work(), work()];
    const failed = turns.run(bad.run);
    const ran = turns.run(good.run);
    bad.fail();
    await expect(failed).rejects.toThrow('failed');
    good.end();
    await ran;
    expect(await turns.run(async () => 'free again')).toBe('free again');
  });

  it('are refused to one more than may wait', async () => {
    const turns = new Turns(1, 1);
    const jobs = [work(), work()];
    const runs = jobs.map((job) => turns.run(job.run));
    await expect(turns.run(async () => 'too many')).rejects.toMatchObject({ kind: 'resource-exhausted' });
    for (const job of jobs) job.end();
    await Promise.all(runs);
  });
});
