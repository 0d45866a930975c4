import type { Clock } from '@sluice/domain/clock';
import type { GeneratorWindow, LoadPort, WholeLoad } from './generator/generator.ts';
import { type Windows } from './options.ts';
import { type Phases, phasesBetween, type ServerCounts } from './phases.ts';
import { type BenchRow, histogramOf, judgedLatency, rowOf, type RowSettings } from './rows.ts';
import { isStable, isTooSlow, type Measured, stableWindows } from './stability.ts';

export interface MeasureSettings extends RowSettings {
  readonly windows: Windows;
  readonly maxTrials: number;
  readonly thresholdMs: number | undefined;
  readonly warmUpRequests: number;
}

export interface MeasureParts {
  readonly port: LoadPort;
  readonly clock: Clock;
  readonly settings: MeasureSettings;
  /** Ends the measurement with what there is. */
  readonly signal: AbortSignal;
  /** The server's counts; gives undefined where there are none. */
  readonly counts: () => Promise<ServerCounts | undefined>;
  /** Told of every window. */
  readonly onWindow: (level: number, number: number, measured: Measured) => void;
}

/** How often the number of ended requests is looked at, in milliseconds. */
const lookMs = 10;

/** Measures one level: window after window until they agree. */
export async function measureLevel(parts: MeasureParts, level: number, load: WholeLoad): Promise<BenchRow> {
  const { port, settings, signal } = parts;
  const { windows, warmUpRequests } = settings;
  if (warmUpRequests > 0) await warmUp(parts, load);
  const counts = [await parts.counts()];
  await port.start(load, windows.kind === 'exactly' ? windows.requests : undefined);
  const measured: { readonly window: GeneratorWindow; readonly figures: Measured }[] = [];
  let stable: boolean | undefined = windows.kind === 'exactly' ? undefined : false;
  const figures = () => measured.map((one) => one.figures);
  const mayGoOn = () =>
    !signal.aborted && windows.kind !== 'exactly' && stable !== true && measured.length < settings.maxTrials;
  do {
    await windowEnd(parts);
    const window = await port.collect();
    counts.push(signal.aborted ? undefined : await parts.counts());
    measured.push({ window, figures: figuresOf(window, settings) });
    parts.onWindow(level, measured.length, measured.at(-1)!.figures);
    if (stable === false) stable = isStable(figures(), settings.stabilityPercent);
  } while (mayGoOn() && !isTooSlow(figures(), settings.thresholdMs));
  await stop(parts);
  const counted = Math.min(stableWindows, measured.length);
  return rowOf(
    {
      level,
      windows: measured.map(({ window }) => window),
      counted,
      phases: phasesOf(counts.at(-1 - counted), counts.at(-1)),
      stable,
      interrupted: signal.aborted,
      isOpenLoop: load.kind === 'open',
    },
    settings,
  );
}

const phasesOf = (before: ServerCounts | undefined, after: ServerCounts | undefined): Phases | undefined =>
  before && after && phasesBetween(before, after);

function figuresOf(window: GeneratorWindow, { batchSize, percentile }: MeasureSettings): Measured {
  return {
    inferencesPerSecond: window.seconds > 0 ? (window.latencies.count * batchSize) / window.seconds : 0,
    latencyMs: judgedLatency(histogramOf(window), percentile),
  };
}

/** Sends requests that do not count. */
async function warmUp(parts: MeasureParts, load: WholeLoad): Promise<void> {
  const { port, settings } = parts;
  await port.start(load, settings.warmUpRequests);
  await ended(parts, settings.warmUpRequests);
  await stop(parts);
}

/** What is in flight may take as long as its time-out: nobody who interrupts wants to wait for it. */
async function stop({ port, signal }: MeasureParts): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => aborted.resolve(undefined);
  signal.addEventListener('abort', abort, { once: true });
  await Promise.race([port.stop(), aborted.promise]);
  signal.removeEventListener('abort', abort);
}

async function windowEnd(parts: MeasureParts): Promise<void> {
  const { windows } = parts.settings;
  if (windows.kind === 'time') await wait(parts, windows.ms);
  else await ended(parts, windows.kind === 'exactly' ? windows.requests : parts.port.ended() + windows.requests);
}

async function ended(parts: MeasureParts, count: number): Promise<void> {
  while (parts.port.ended() < count && !parts.signal.aborted) await wait(parts, lookMs);
}

/** Waits, or ends early when the run is interrupted. */
export function wait({ clock, signal }: Pick<MeasureParts, 'clock' | 'signal'>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.schedule(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
