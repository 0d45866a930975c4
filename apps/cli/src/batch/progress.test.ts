import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { Pace, showSeconds, startProgress } from './progress.ts';

function contextOf(json = false) {
  const clock = new FakeClock();
  const notes: string[] = [];
  const terminal = {
    out: () => undefined,
    note: (text: string) => notes.push(text),
    bars: undefined,
    input: undefined,
  };
  return { clock, notes, context: { clock, json, terminal } as unknown as CliContext };
}

describe('the progress of a batch run', () => {
  it('says rows, pace, share and what is left, from where this process began', () => {
    const clock = new FakeClock();
    const pace = new Pace(clock);
    expect(pace.describe(1_000, 0.5)).toBe('1,000 rows, 50 %');
    clock.advance(10_000);
    expect(pace.describe(3_000, 0.6)).toBe('3,000 rows, 200 rows/s, 60 %, 40 s left');
  });

  it('says nothing where no person looks, unless it is asked to', () => {
    const { notes, context, clock } = contextOf();
    const silent = startProgress(context, 'scoring', false);
    clock.advance(60_000);
    silent.update(5, 0.5);
    silent.stop();
    expect(notes).toEqual([]);
  });

  it.each([false, true])('says a line every ten seconds where it is asked to, with --json too (%s)', (json) => {
    const { notes, context, clock } = contextOf(json);
    const shown = startProgress(context, 'scoring', true);
    for (let second = 0; second <= 25; second += 1) {
      shown.update(second * 100, second / 100);
      clock.advance(1_000);
    }
    expect(notes).toEqual([
      'scoring: 1,000 rows, 100 rows/s, 10 %, 1 min 30 s left',
      'scoring: 2,000 rows, 100 rows/s, 20 %, 1 min 20 s left',
    ]);
  });

  it('has words for times', () => {
    expect([0.4, 59, 60, 3_599, 3_600, 90_000, -1].map(showSeconds)).toEqual([
      '0 s',
      '59 s',
      '1 min 0 s',
      '59 min 59 s',
      '1 h 0 min',
      '25 h 0 min',
      '0 s',
    ]);
  });
});
