import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { createLogger } from '@sluice/service-kit/logger';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { Assignment, Placement, PlacementChange } from '../versions/assignment.ts';
import { PlacementWatch } from './placement-watch.ts';

const logger = createLogger({ service: 'test', instance: 'test', level: 'silent' });
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};
const of = (version: number): Assignment => ({ model: 'm', version }) as Assignment;
const change = (revision: number, more: Partial<PlacementChange> = {}): PlacementChange => ({
  revision,
  snapshot: false,
  assignments: [],
  removed: [],
  quarantined: [],
  ...more,
});

/** A registry whose every watch is a list of changes that ends with a failure. */
function watching(scripts: PlacementChange[][], start?: Placement) {
  const clock = new FakeClock();
  const tokens: number[] = [];
  const signals: AbortSignal[] = [];
  const applied: Placement[] = [];
  const kept: number[] = [];
  const connected: boolean[] = [];
  async function* watchAssignments(token: number, signal: AbortSignal): AsyncGenerator<PlacementChange> {
    tokens.push(token);
    signals.push(signal);
    const script = scripts.shift();
    if (!script) {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(unavailable('stopped'))));
      return;
    }
    yield* script;
    throw unavailable('away');
  }
  const ports = {
    registry: { watchAssignments },
    clock,
    random: { uniform: () => 0.5, bytes: (count: number) => new Uint8Array(count) },
    logger,
    apply: (placement: Placement) => void applied.push(placement),
    keep: async (placement: Placement) => void kept.push(placement.revision),
    connected: (up: boolean) => void connected.push(up),
  };
  const watch = new PlacementWatch(ports, start);
  return { watch, clock, tokens, signals, applied, kept, connected };
}

describe('PlacementWatch', () => {
  it('applies a snapshot and then changes, and keeps what it applied', async () => {
    const { watch, applied, kept } = watching([
      [
        change(5, { snapshot: true, assignments: [of(1), of(2)] }),
        change(7, { assignments: [of(3)], removed: [{ model: 'm', version: 1 }] }),
      ],
    ]);
    watch.start();
    await turns();
    expect(applied.map(({ revision, assignments }) => [revision, assignments.map(({ version }) => version)])).toEqual([
      [5, [1, 2]],
      [7, [2, 3]],
    ]);
    await watch.stop();
    expect(kept.at(-1)).toBe(7);
  });

  it('tells of quarantines as the last change has them', async () => {
    const poison = { model: 'm', version: 7, reason: 'it ended its runtime' };
    const { watch, applied } = watching([[change(5, { quarantined: [poison] }), change(6)]]);
    watch.start();
    await turns();
    expect(applied.map(({ quarantined }) => quarantined)).toEqual([[poison], []]);
    await watch.stop();
  });

  it('resumes after what it has, also from disk', async () => {
    const { watch, clock, tokens } = watching([[change(9, { assignments: [of(4)] })]], {
      revision: 8,
      assignments: [],
    });
    watch.start();
    await turns();
    clock.advance(100);
    await turns();
    expect(tokens).toEqual([8, 9]);
    await watch.stop();
  });

  it('waits longer after each failure, up to five seconds, and starts small again after a success', async () => {
    const { watch, clock, tokens, connected } = watching([[], [], [], [], [], [], [], [change(2)], []]);
    watch.start();
    await turns();
    for (const [attempt, delay] of [100, 200, 400, 800, 1_600, 3_200, 5_000].entries()) {
      clock.advance(delay - 1);
      await turns();
      expect(tokens).toHaveLength(attempt + 1);
      clock.advance(1);
      await turns();
      expect(tokens).toHaveLength(attempt + 2);
    }
    clock.advance(100);
    await turns();
    expect(tokens).toHaveLength(9);
    expect(connected.filter(Boolean)).toHaveLength(1);
    await watch.stop();
  });

  it('leaves nothing behind of the pauses of an outage, and a stop ends the one that is under way', async () => {
    const { watch, clock, tokens, signals } = watching(Array.from({ length: 40 }, () => []));
    watch.start();
    for (let attempt = 0; attempt < 30; attempt += 1) {
      await turns();
      clock.advance(5_000);
    }
    await turns();
    expect(tokens).toHaveLength(31);
    expect(getEventListeners(signals[0]!, 'abort')).toHaveLength(1);
    await watch.stop();
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(signals[0]!, 'abort')).toHaveLength(0);
  });
});
