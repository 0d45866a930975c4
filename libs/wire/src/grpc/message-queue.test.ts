import { describe, expect, it } from 'vitest';
import { MessageQueue } from './message-queue.ts';

describe('messages that wait', () => {
  it('are taken in their order, however taking and adding alternate', () => {
    const queue = new MessageQueue();
    let added = 0;
    let taken = 0;
    for (let round = 1; round < 200; round++) {
      for (let count = 0; count < (round * 37) % 101; count++) queue.push(Buffer.from(String(added++)));
      for (let count = 0; count < (round * 53) % 97 && taken < added; count++)
        expect(queue.shift()?.toString()).toBe(String(taken++));
      expect(queue.size).toBe(added - taken);
    }
    while (taken < added) expect(queue.shift()?.toString()).toBe(String(taken++));
    expect([queue.shift(), queue.size]).toEqual([undefined, 0]);
  });

  it('take no longer where there are many', () => {
    const queue = new MessageQueue();
    const message = Buffer.alloc(1);
    for (let count = 0; count < 500_000; count++) queue.push(message);
    const began = performance.now();
    while (queue.shift() !== undefined);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('are gone when they are cleared', () => {
    const queue = new MessageQueue();
    queue.push(Buffer.from('a'));
    queue.clear();
    queue.push(Buffer.from('b'));
    expect([queue.size, queue.shift()?.toString(), queue.shift()]).toEqual([1, 'b', undefined]);
  });
});
