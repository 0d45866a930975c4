import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import type { SluiceError } from '@sluice/domain/errors';
import { ByteBudget } from './byte-budget.ts';
import { SpoolStream } from './spool-stream.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

const block = Buffer.alloc(40);
/** Of a block: what it has, and what it costs beside that. */
const cost = 40 + 512;

function world(windowBytes = 2.5 * cost, heldBytes = 10 * cost) {
  const budget = new ByteBudget(heldBytes);
  const settle = new Map<number, (error?: SluiceError) => void>();
  const ingester = {
    budget,
    add: ({ origin }: { origin: { position: number } }, done: (error: SluiceError | undefined) => void) =>
      void settle.set(origin.position, (error) => done(error)),
  };
  const stream = new SpoolStream({ spoolId: 's', routerId: 'r' }, ingester, windowBytes);
  const told: (number | string)[] = [];
  const reading = (async () => {
    try {
      for await (const position of stream.acknowledgements()) told.push(position);
      told.push('end');
    } catch (error) {
      told.push((error as SluiceError).kind);
    }
  })();
  return { stream, settle, told, reading, budget };
}

describe('a stream of a spool', () => {
  it('acknowledges what is stored without a gap, the newest position alone', async () => {
    const { stream, settle, told } = world();
    for (const position of [3, 5]) expect(await stream.add(position, block)).toBe(true);
    settle.get(5)!();
    await turns();
    expect([told, stream.acknowledged]).toEqual([[], 0]);
    settle.get(3)!();
    await turns();
    expect([told, stream.acknowledged, stream.heldBytes]).toEqual([[5], 5, 0]);
    stream.end();
    await turns();
    expect(told).toEqual([5, 'end']);
  });

  it('acknowledges a first block at position 0 too', async () => {
    const { stream, settle, told } = world();
    await stream.add(0, block);
    settle.get(0)!();
    await turns();
    expect(told).toEqual([0]);
  });

  it('takes no block before there is room in its window, and in that of all', async () => {
    const { stream, settle, budget } = world(2.5 * cost, 3.75 * cost);
    const took: number[] = [];
    const take = (position: number) => stream.add(position, block).then(() => took.push(position));
    void take(1)
      .then(() => take(2))
      .then(() => take(3));
    await turns();
    expect([took, stream.heldBytes]).toEqual([[1, 2], 2 * cost]);
    settle.get(2)!();
    await turns();
    expect([took, stream.heldBytes]).toEqual([[1, 2, 3], 2 * cost]);
    settle.get(1)!();
    await budget.take(2.75 * cost);
    const other = stream.add(4, block);
    await turns();
    expect(settle.has(4)).toBe(false);
    budget.give(2.75 * cost);
    expect(await other).toBe(true);
  });

  it('refuses positions that do not rise', async () => {
    const { stream } = world();
    await stream.add(4, block);
    await expect(stream.add(4, block)).rejects.toThrow('position: 4 given after 4');
  });

  it('fails after it has acknowledged what is stored, and takes no more', async () => {
    const { stream, settle, told, reading, budget } = world();
    await stream.add(1, block);
    await stream.add(2, block);
    settle.get(1)!();
    settle.get(2)!(unavailable('away'));
    await reading;
    expect(told).toEqual([1, 'unavailable']);
    expect(await stream.add(3, block)).toBe(false);
    expect([stream.heldBytes, budget.held]).toEqual([0, 0]);
  });

  it('drains: acknowledges what it has, and then sends its caller elsewhere', async () => {
    const { stream, settle, told, reading } = world();
    await stream.add(1, block);
    stream.drain();
    expect(await stream.add(2, block)).toBe(false);
    await turns();
    expect(told).toEqual([]);
    settle.get(1)!();
    await reading;
    expect(told).toEqual([1, 'unavailable']);
  });

  it('is over when its caller is gone, and gives back what it holds when that is stored', async () => {
    const { stream, settle, told, reading, budget } = world();
    await stream.add(1, block);
    stream.close();
    await reading;
    expect([told, budget.held]).toEqual([['end'], cost]);
    settle.get(1)!();
    expect(budget.held).toBe(0);
  });
});
