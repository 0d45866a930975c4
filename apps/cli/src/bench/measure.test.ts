import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { window } from '../../test/bench/windows.ts';
import type { GeneratorWindow, LoadPort, WholeLoad } from './generator/generator.ts';
import { measureLevel, type MeasureSettings } from './measure.ts';
import type { ServerCounts } from './phases.ts';

const load: WholeLoad = { kind: 'closed', inFlight: 4 };

/** A generator whose windows are written down before, and what was asked of it. */
class ScriptedPort implements LoadPort {
  readonly calls: string[] = [];
  readonly windows: GeneratorWindow[];
  endedNow = 0;
  /** Requests that are never answered. */
  hangs = false;

  constructor(windows: readonly GeneratorWindow[]) {
    this.windows = [...windows];
  }

  start(_: WholeLoad, limit: number | undefined): Promise<void> {
    this.endedNow = 0;
    this.calls.push(limit === undefined ? 'start' : `start ${limit}`);
    return Promise.resolve();
  }

  ended(): number {
    return this.endedNow;
  }

  collect(): Promise<GeneratorWindow> {
    this.calls.push('collect');
    return Promise.resolve(this.windows.shift()!);
  }

  stop(): Promise<void> {
    this.calls.push('stop');
    return this.hangs ? new Promise(() => undefined) : Promise.resolve();
  }
}

const settings: MeasureSettings = {
  batchSize: 1,
  percentile: undefined,
  stabilityPercent: 10,
  windows: { kind: 'time', ms: 1000 },
  maxTrials: 5,
  thresholdMs: undefined,
  warmUpRequests: 0,
};

/** Runs a measurement to its end, a tenth of a second of the fake clock at a time. */
async function measure(
  windows: readonly GeneratorWindow[],
  more: Partial<MeasureSettings> = {},
  each: (clock: FakeClock, port: ScriptedPort, abort: AbortController) => void = () => undefined,
) {
  const clock = new FakeClock();
  const port = new ScriptedPort(windows);
  const abort = new AbortController();
  const seen: number[] = [];
  let asked = 0;
  const counts = (): Promise<ServerCounts> => {
    const duration = (ms: number) => ({ count: asked * 10, ns: asked * 10 * ms * 1e6 });
    asked += 1;
    return Promise.resolve({
      success: duration(9),
      queue: duration(1),
      computeInput: duration(2),
      computeInfer: duration(3),
      computeOutput: duration(1),
    });
  };
  let row: Awaited<ReturnType<typeof measureLevel>> | undefined;
  const done = measureLevel(
    {
      port,
      clock,
      signal: abort.signal,
      counts,
      settings: { ...settings, ...more },
      onWindow: (_, number) => seen.push(number),
    },
    4,
    load,
  ).then((measured) => (row = measured));
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  await settle();
  for (let step = 0; step < 1000 && row === undefined; step += 1) {
    clock.advance(100);
    each(clock, port, abort);
    await settle();
  }
  await done;
  return { row: row!, port, seen, elapsedMs: clock.monotonic(), pending: clock.pendingTimers };
}

const steady = () => window([1, 1, 1]);

describe('a level', () => {
  it('is measured until three windows agree, and is what they say together', async () => {
    const { row, port, seen, elapsedMs } = await measure([window([9]), steady(), steady(), steady(), steady()]);
    expect(row).toMatchObject({ level: 4, windows: 4, stable: true, requests: 9, marks: [] });
    expect(port.calls).toEqual(['start', 'collect', 'collect', 'collect', 'collect', 'stop']);
    expect([seen, elapsedMs]).toEqual([[1, 2, 3, 4], 4000]);
  });

  it('has the phases of the windows that count', async () => {
    const { row } = await measure([window([9]), steady(), steady(), steady()]);
    expect(row.phases).toEqual({ requests: 30, queue: 1, computeInput: 2, computeInfer: 3, computeOutput: 1 });
  });

  it('that does not become stable says so', async () => {
    const wild = [1, 2, 1, 2, 1].map((latency) => window([latency]));
    const { row } = await measure(wild);
    expect(row).toMatchObject({ windows: 5, stable: false, marks: ['unstable'] });
  });

  it('over the threshold is not tried more often than it must', async () => {
    const slow = [50, 60, 90, 50, 50].map((latency) => window([latency]));
    expect((await measure(slow, { thresholdMs: 10 })).row.windows).toBe(3);
    expect((await measure(slow, { thresholdMs: 55 })).row.windows).toBe(5);
  });

  it('by count ends a window when so many have ended, on top of those before', async () => {
    const { row, elapsedMs } = await measure(
      [steady(), steady(), steady()],
      { windows: { kind: 'count', requests: 30 } },
      (_, port) => (port.endedNow += 10),
    );
    expect([row.windows, row.stable, elapsedMs]).toEqual([3, true, 900]);
  });

  it('of exactly so many requests is one window', async () => {
    const { row, port } = await measure(
      [steady()],
      { windows: { kind: 'exactly', requests: 7 } },
      (_, one) => (one.endedNow += 1),
    );
    expect(port.calls).toEqual(['start 7', 'collect', 'stop']);
    expect(row).toMatchObject({ windows: 1, stable: undefined, marks: [] });
  });

  it('begins after its warm-up', async () => {
    const { port } = await measure(
      [steady(), steady(), steady()],
      { warmUpRequests: 5 },
      (_, one) => (one.endedNow += 5),
    );
    expect(port.calls.slice(0, 4)).toEqual(['start 5', 'stop', 'start', 'collect']);
  });

  it('that is interrupted ends at once with what there is, and waits for nobody', async () => {
    const { row, port, elapsedMs, pending } = await measure([steady(), window([5])], {}, (clock, _, abort) => {
      if (clock.monotonic() === 1500) abort.abort();
    });
    expect(row).toMatchObject({
      windows: 2,
      interrupted: true,
      marks: ['interrupted'],
      requests: 4,
      phases: undefined,
    });
    expect([port.calls.at(-1), elapsedMs, pending]).toEqual(['collect', 1500, 0]);
  });

  it('that is interrupted while it waits for the last answers waits no longer', async () => {
    const { row, port } = await measure([steady(), steady(), steady()], {}, (clock, one, abort) => {
      one.hangs = true;
      if (clock.monotonic() === 5000) abort.abort();
    });
    expect([port.calls.at(-1), row.interrupted]).toEqual(['stop', true]);
  });
});
