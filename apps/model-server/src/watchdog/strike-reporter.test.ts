import { beforeEach, describe, expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { createLogger } from '@sluice/service-kit/logger';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { BookedStrike } from './strike-book.ts';
import { StrikeReporter } from './strike-reporter.ts';

const logger = createLogger({ service: 'model-server', instance: 'test', level: 'silent' });
const strike = (id: string): BookedStrike => ({
  ...{ id, model: 'm', version: 2, digest: 'd', kind: 'crashed', atMs: 1, reported: false },
});
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

let clock: FakeClock;
let open: BookedStrike[];
let sent: string[];
let told: string[];
let answer: (id: string) => Promise<{ quarantined: boolean; strikes: number }>;
let reporter: StrikeReporter;

beforeEach(() => {
  clock = new FakeClock();
  [open, sent, told] = [[strike('a'), strike('b')], [], []];
  answer = async () => ({ quarantined: false, strikes: 1 });
  reporter = new StrikeReporter({
    registry: {
      reportStrike: async ({ id }) => {
        sent.push(id);
        return answer(id);
      },
    },
    book: {
      get unreported() {
        return open;
      },
      reported: async (id) => void (open = open.filter((one) => one.id !== id)),
    },
    ...{ clock, logger, random: { uniform: () => 0, bytes: (count) => new Uint8Array(count) } },
    answered: ({ id }) => void told.push(id),
  });
});

describe('strikes', () => {
  it('are reported one after the other, each once, and whoever waits for the answer is told', async () => {
    reporter.start();
    reporter.start();
    await turns();
    expect([sent, told, open]).toEqual([['a', 'b'], ['a', 'b'], []]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('are reported again, with growing pauses, while the registry is away, and stay open', async () => {
    answer = async () => Promise.reject(new SluiceError('unavailable', 'away'));
    reporter.start();
    await turns();
    expect([sent, told]).toEqual([['a'], []]);
    for (const pauseMs of [125, 250, 500]) {
      clock.advance(pauseMs - 1);
      await turns();
      const before = sent.length;
      clock.advance(1);
      await turns();
      expect(sent).toHaveLength(before + 1);
    }
    expect(open).toHaveLength(2);
    // Of one that is quarantined nobody is told: its placement is about to end.
    answer = async (id) => ({ quarantined: id === 'a', strikes: 3 });
    clock.advance(1_000);
    await turns();
    expect([told, open]).toEqual([['b'], []]);
  });

  it('are dropped when the registry will never take them', async () => {
    const refusals = ['not-found', 'unimplemented'] as const;
    answer = async (id) => Promise.reject(new SluiceError(refusals[id === 'a' ? 0 : 1], 'no'));
    reporter.start();
    await turns();
    expect([sent, told, open]).toEqual([['a', 'b'], ['a', 'b'], []]);
  });

  it('are left to the next start after a stop', async () => {
    answer = async () => Promise.reject(new SluiceError('unavailable', 'away'));
    reporter.start();
    await turns();
    await reporter.stop();
    clock.advance(60_000);
    reporter.start();
    await turns();
    expect(sent).toEqual(['a']);
  });
});
