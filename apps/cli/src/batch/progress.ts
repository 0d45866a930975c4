import type { Clock } from '@sluice/domain/clock';
import cliProgress from 'cli-progress';
import { type CliContext, progress } from '../context.ts';

/** Between two lines where no person looks, in milliseconds. */
const lineEveryMs = 10_000;

/** Tells how far a run is: a bar for a person, lines where they are wanted, nothing else. */
export interface RunProgress {
  /**
   * @param rows that have been read, of the whole input
   * @param share of the input that has been read, from 0 to 1
   */
  update(rows: number, share: number): void;
  stop(): void;
}

/** @param lines whether to write lines where there is no bar, with `--json` too */
export function startProgress(context: CliContext, what: string, lines: boolean): RunProgress {
  const pace = new Pace(context.clock);
  const { bars } = context.terminal;
  if (bars && !context.json) return drawn(bars, what, pace);
  if (!lines) return { update: () => undefined, stop: () => undefined };
  let saidMs = context.clock.monotonic();
  return {
    update(rows, share) {
      const nowMs = context.clock.monotonic();
      const text = pace.describe(rows, share);
      if (nowMs - saidMs < lineEveryMs) return;
      saidMs = nowMs;
      context.terminal.note(`${what}: ${text}`);
    },
    stop: () => undefined,
  };
}

function drawn(stream: NodeJS.WritableStream, what: string, pace: Pace): RunProgress {
  const bar = new cliProgress.SingleBar(
    {
      stream,
      clearOnComplete: true,
      hideCursor: true,
      format: (options, params, payload: { text?: string }) =>
        `${what} ${cliProgress.Format.BarFormat(params.progress, options)} ${payload.text ?? ''}`,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1_000, 0, {});
  return {
    update: (rows, share) => bar.update(Math.round(share * 1_000), { text: pace.describe(rows, share) }),
    stop: () => bar.stop(),
  };
}

/** How quickly this process gets on: what earlier ones did is no measure. */
export class Pace {
  readonly #clock: Clock;
  #begun: { readonly ms: number; readonly rows: number; readonly share: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `12,000 rows, 1,500 rows/s, 40 %, 1 min 12 s left`; the first time it is asked is where it measures from. */
  describe(rows: number, share: number): string {
    const ms = this.#clock.monotonic();
    this.#begun ??= { ms, rows, share };
    const seconds = (ms - this.#begun.ms) / 1_000;
    const parts = [`${rows.toLocaleString('en')} rows`];
    const done = share - this.#begun.share;
    if (seconds > 0 && rows > this.#begun.rows)
      parts.push(`${Math.round((rows - this.#begun.rows) / seconds).toLocaleString('en')} rows/s`);
    parts.push(`${Math.floor(share * 100)} %`);
    if (seconds > 0 && done > 0) parts.push(`${showSeconds(((1 - share) / done) * seconds)} left`);
    return parts.join(', ');
  }
}

/** `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function showSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

/** A line about what takes time before rows are scored. */
export function sayReading(context: CliContext, file: string, bytes: number): void {
  if (bytes > 268_435_456) progress(context, `reading ${file} once for its digest`);
}
