import { describe, expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import type { Engine } from '../serving/engine.ts';
import { LiveEngine } from './live-engine.ts';

function setUp() {
  const told: string[] = [];
  const queue = { queuedRequests: 0, runningBatches: 0 };
  const sequences = { count: 0, backlog: 0, endIdle: () => void told.push('endIdle') };
  const engine = {
    ...{ sequences, queue: () => queue },
    hang: ({ message }: SluiceError) => void told.push(message),
    drain: (ms: number) => {
      told.push(`drain ${ms}`);
      return Promise.resolve({ failed: 0, runningBatches: 0 });
    },
  } as unknown as Engine;
  const live = new LiveEngine();
  return { live, engine, told, queue, sequences };
}

describe('the engine of a version', () => {
  it('is found by what is on it until nothing is, and by name until it retires', async () => {
    const { live, engine, told } = setUp();
    expect([live.named, live.live, live.isBusy, await live.finish(1)]).toEqual([
      undefined,
      undefined,
      false,
      undefined,
    ]);
    live.serve(engine);
    expect([live.named, live.live]).toEqual([engine, engine]);
    expect(await live.finish(7)).toEqual({ failed: 0, runningBatches: 0 });
    expect([live.named, live.live]).toEqual([undefined, engine]);
    live.hang(new SluiceError('internal', 'hangs'));
    live.endSequences();
    live.lose();
    expect(told).toEqual(['drain 7', 'hangs', 'endIdle', 'drain 0']);
    live.forget();
    live.hang(new SluiceError('internal', 'hangs'));
    expect([live.live, told.length]).toEqual([undefined, 4]);
  });

  it('is busy with requests, batches and sequences, on its way out too', () => {
    const { live, engine, queue, sequences } = setUp();
    live.serve(engine);
    live.retire();
    expect([live.isBusy, live.hasSequences]).toEqual([false, false]);
    queue.queuedRequests = 1;
    expect([live.isBusy, live.hasSequences]).toEqual([true, false]);
    Object.assign(queue, { queuedRequests: 0, runningBatches: 1 });
    expect(live.isBusy).toBe(true);
    queue.runningBatches = 0;
    sequences.count = 1;
    expect([live.isBusy, live.hasSequences]).toEqual([true, true]);
    Object.assign(sequences, { count: 0, backlog: 1 });
    expect([live.isBusy, live.hasSequences]).toEqual([true, true]);
  });
});
