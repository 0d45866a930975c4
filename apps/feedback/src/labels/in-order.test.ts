import { describe, expect, it } from 'vitest';
import { inOrder } from './in-order.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

/** Requests that come when they are told to, and answers that are there when they are told to be. */
function world(atOnce: number) {
  const handled: number[] = [];
  const settle = new Map<number, { resolve: (text: string) => void; reject: (error: Error) => void }>();
  const incoming: PromiseWithResolvers<IteratorResult<number>>[] = [];
  const requests = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const next = Promise.withResolvers<IteratorResult<number>>();
        incoming.push(next);
        return next.promise;
      },
    }),
  };
  const handle = (request: number): Promise<string> => {
    handled.push(request);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    settle.set(request, { resolve, reject });
    return promise;
  };
  const answers = inOrder(requests, handle, atOnce);
  const got: unknown[] = [];
  const take = (): void =>
    void answers.next().then(
      ({ value, done }) => got.push(done === true ? 'end' : value),
      (error: unknown) => got.push((error as Error).message),
    );
  const come = async (value: number): Promise<void> => {
    incoming.at(-1)!.resolve({ value, done: false });
    await turns();
  };
  const end = async (): Promise<void> => {
    incoming.at(-1)!.resolve({ value: undefined, done: true });
    await turns();
  };
  return { handled, settle, incoming, got, take, come, end };
}

describe('batches of a stream', () => {
  it('are handled at once and answered in their order', async () => {
    const { handled, settle, got, take, come, end } = world(3);
    for (let answer = 0; answer < 4; answer++) take();
    for (const request of [1, 2, 3]) await come(request);
    expect(handled).toEqual([1, 2, 3]);
    settle.get(3)!.resolve('three');
    settle.get(2)!.resolve('two');
    await turns();
    expect(got).toEqual([]);
    settle.get(1)!.resolve('one');
    await turns();
    expect(got).toEqual(['one', 'two', 'three']);
    await end();
    expect(got.at(-1)).toBe('end');
  });

  it('are not read further while so many are under way, nor while nobody takes the answers', async () => {
    const { handled, settle, got, take, come } = world(2);
    take();
    for (const request of [1, 2, 3]) await come(request);
    expect(handled).toEqual([1, 2]);
    settle.get(1)!.resolve('one');
    await turns();
    expect([handled, got]).toEqual([[1, 2], ['one']]);
    take();
    await turns();
    expect(handled).toEqual([1, 2, 3]);
  });

  it('end with the first that fails, after the answers before it; those under way are let go', async () => {
    const { settle, got, take, come } = world(3);
    for (let answer = 0; answer < 3; answer++) take();
    for (const request of [1, 2, 3]) await come(request);
    settle.get(3)!.reject(new Error('third'));
    settle.get(2)!.reject(new Error('second'));
    settle.get(1)!.resolve('one');
    await turns();
    expect(got).toEqual(['one', 'second', 'end']);
  });

  it('that can be read no more end it after the answers before', async () => {
    const { settle, incoming, got, take, come } = world(3);
    for (let answer = 0; answer < 2; answer++) take();
    await come(1);
    incoming.at(-1)!.reject(new Error('gone'));
    await turns();
    settle.get(1)!.resolve('one');
    await turns();
    expect(got).toEqual(['one', 'gone']);
  });
});
