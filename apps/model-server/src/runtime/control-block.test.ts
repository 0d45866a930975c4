import { describe, expect, it } from 'vitest';
import { ControlBlock, Doorbell, nextNumber, slotsPerSession } from './control-block.ts';

const command = { plan: 7, rows: 3, capacity: 8, buffer: 2 };

describe('ControlBlock', () => {
  it('shows a batch to the other side, slot by slot, and its end back', () => {
    const main = new ControlBlock();
    const worker = new ControlBlock(main.memory);
    main.submit(1, 1, command);
    main.submit(2, 0, { ...command, rows: 5 });
    expect(worker.lastSubmitted()).toBe(2);
    expect([worker.slotOf(1), worker.slotOf(2)]).toEqual([1, 0]);
    expect(worker.begin(1)).toEqual(command);
    expect(worker.begin(0)).toEqual({ ...command, rows: 5 });
    worker.recordTiming(1, 1.5, 20, 0.25);
    worker.finish(1, 1);
    expect([main.isFinished(1, 1), main.isFinished(2, 0)]).toEqual([true, false]);
    expect(main.timing(1)).toEqual({ inputUs: 1.5, inferUs: 20, outputUs: 0.25 });
    // A slot that is used again is not finished yet.
    main.submit(3, 1, command);
    expect(main.isFinished(3, 1)).toBe(false);
    expect(slotsPerSession).toBe(2);
  });

  it('lets a batch be changed or withdrawn until it begins, and not after', () => {
    const main = new ControlBlock();
    const worker = new ControlBlock(main.memory);
    main.submit(1, 0, command);
    expect(main.hold(0, 3)).toBe(true);
    // While it is written anew nobody may change it in another way.
    expect([main.isOpen(0), main.hold(0, 3), main.withdraw(0, 3)]).toEqual([false, false, false]);
    main.reopen(0, 2);
    expect([main.isOpen(0), worker.begin(0)?.rows]).toEqual([true, 2]);
    expect([main.isOpen(0), main.hold(0, 2), main.withdraw(0, 2)]).toEqual([false, false, false]);
    main.submit(2, 1, command);
    expect(main.withdraw(1, 3)).toBe(true);
    expect([main.isOpen(1), worker.begin(1)]).toEqual([false, undefined]);
    // A slot that is used again is as new.
    main.submit(3, 1, command);
    expect(worker.begin(1)).toEqual(command);
  });

  it('does not wait for what has happened already', async () => {
    const block = new ControlBlock();
    const finishes = block.finishes();
    const pending = block.finishedAfter(finishes);
    expect(pending).toBeDefined();
    block.finish(1, 0);
    await pending;
    expect(block.finishedAfter(finishes)).toBeUndefined();
    const bell = new Doorbell();
    const rings = bell.rings();
    new Doorbell(bell.memory).ring();
    // Returns at once: somebody rang.
    bell.sleep(rings);
  });
});

describe('numbers at the end of the 32-bit words', () => {
  it('go on from the smallest', () => {
    expect(nextNumber(0x7fffffff)).toBe(-0x80000000);
    expect([nextNumber(-1), nextNumber(0)]).toEqual([0, 1]);
  });

  it.each([0x7ffffffe, -2])('name batches after %i as they do others', (after) => {
    const main = new ControlBlock(undefined, after);
    const worker = new ControlBlock(main.memory);
    let done = worker.lastSubmitted();
    expect(done).toBe(after);
    let batch = after;
    for (let count = 0; count < 4; count += 1) {
      const slot = count % slotsPerSession;
      batch = nextNumber(batch);
      main.submit(batch, slot, { ...command, rows: count });
      // A slot that was never used is full of zeros, and a batch may have that number.
      expect(main.isFinished(batch, slot)).toBe(false);
      expect(worker.lastSubmitted()).not.toBe(done);
      done = nextNumber(done);
      expect(worker.begin(worker.slotOf(done))?.rows).toBe(count);
      worker.finish(done, worker.slotOf(done));
      expect([main.isFinished(batch, slot), worker.lastSubmitted() === done]).toEqual([true, true]);
    }
  });
});
