import { describe, expect, it } from 'vitest';
import { Gate } from './gate.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

describe('a gate', () => {
  it('lets two through at once, the next one when one of them is done, also when it failed', async () => {
    const gate = new Gate(2);
    const begun: number[] = [];
    const ends: PromiseWithResolvers<undefined>[] = [];
    const runs = [0, 1, 2, 3].map((each) =>
      gate.run(async () => {
        begun.push(each);
        const end = Promise.withResolvers<undefined>();
        ends.push(end);
        await end.promise;
        return each;
      }),
    );
    await turns();
    expect(begun).toEqual([0, 1]);
    ends[1]!.reject(new Error('broken'));
    await expect(runs[1]).rejects.toThrow('broken');
    await turns();
    expect(begun).toEqual([0, 1, 2]);
    ends[0]!.resolve(undefined);
    ends[2]!.resolve(undefined);
    expect([await runs[0], await runs[2]]).toEqual([0, 2]);
    await turns();
    ends[3]!.resolve(undefined);
    expect(await runs[3]).toBe(3);
    expect(await gate.run(() => Promise.resolve('free'))).toBe('free');
  });
});
