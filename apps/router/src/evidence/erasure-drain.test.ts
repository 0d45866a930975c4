import { unavailable } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { recordingLogger, settle } from '../../test/doubles.ts';
import { ErasureDrain } from './erasure-drain.ts';

function setUp() {
  const { logger, lines } = recordingLogger();
  const waiting: { readonly position: number; readonly done: (error?: Error) => void }[] = [];
  const status = { position: 10 };
  const spool = {
    status,
    drained: (position: number) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ position, done: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  };
  // What is flushed lies in the spool then.
  const drain = new ErasureDrain({ spool, flush: () => void (status.position += 1), logger });
  const told: number[] = [];
  drain.onApplied(() => told.push(drain.applied));
  const finish = async (error?: Error) => {
    waiting.shift()!.done(error);
    await settle();
  };
  return { drain, waiting, told, lines, finish };
}

describe('ErasureDrain', () => {
  it('says that an order is followed when what was recorded before it is gone', async () => {
    const { drain, waiting, told, finish } = setUp();
    drain.learn(0);
    expect(waiting).toEqual([]);
    drain.learn(3);
    drain.learn(3);
    expect([waiting.map(({ position }) => position), drain.applied]).toEqual([[11], 0]);
    await finish();
    expect([told, drain.applied, drain.wanted, waiting]).toEqual([[3], 3, 3, []]);
  });

  it('drains once more for orders that come meanwhile', async () => {
    const { drain, waiting, told, finish } = setUp();
    drain.learn(1);
    drain.learn(2);
    drain.learn(4);
    await finish();
    expect([told, waiting.map(({ position }) => position)]).toEqual([[1], [12]]);
    await finish();
    expect([told, waiting]).toEqual([[1, 4], []]);
  });

  it('begins anew with a feedback that knows fewer orders: they are others', async () => {
    const { drain, waiting, told, finish } = setUp();
    drain.learn(5);
    await finish();
    drain.learn(2);
    expect(drain.applied).toBe(0);
    drain.learn(1);
    drain.learn(6);
    await finish();
    expect([told, waiting]).toHaveLength(2);
    expect(told).toEqual([5]);
    await finish();
    expect([told, drain.applied]).toEqual([[5, 6], 6]);
  });

  it('leaves an order to the next life when the spool is closed, and warns of anything else', async () => {
    const { drain, told, lines, finish } = setUp();
    drain.learn(1);
    await finish(unavailable('the spool was closed'));
    expect([told, drain.applied, lines]).toEqual([[], 0, []]);
    drain.learn(2);
    await finish(new Error('odd'));
    expect(lines.map(({ msg }) => msg)).toEqual(['an order to erase cannot be followed']);
  });
});
