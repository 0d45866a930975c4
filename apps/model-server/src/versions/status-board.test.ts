import { describe, expect, it } from 'vitest';
import { StatusBoard } from './status-board.ts';

const status = (number: number, draining = false) => ({
  versions: [{ model: 'm', version: number, ready: true, onDemand: false, reason: '' }],
  draining,
});

describe('StatusBoard', () => {
  it('gives the state of now, then every change, and ends with its watcher', async () => {
    const board = new StatusBoard();
    board.publish(status(1));
    const gone = new AbortController();
    const watch = board.watch(gone.signal);
    expect((await watch.next()).value).toEqual(status(1));
    const next = watch.next();
    board.publish(status(2));
    expect((await next).value).toEqual(status(2));
    const last = watch.next();
    gone.abort();
    expect((await last).done).toBe(true);
  });

  it('lets a slow watcher miss what was replaced, never the last', async () => {
    const board = new StatusBoard();
    const watch = board.watch(new AbortController().signal);
    await watch.next();
    for (let number = 1; number <= 5; number += 1) board.publish(status(number, number === 5));
    expect((await watch.next()).value).toEqual(status(5, true));
  });
});
