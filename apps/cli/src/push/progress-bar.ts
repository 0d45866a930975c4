import cliProgress from 'cli-progress';
import { showBytes } from '../format.ts';
import type { CliContext } from '../context.ts';

/** Something that fills up. */
export interface Bar {
  add(bytes: number): void;
  stop(): void;
}

const silent: Bar = { add: () => undefined, stop: () => undefined };

/** A progress bar on standard error where a person looks at it; nothing elsewhere. */
export function startBar(context: CliContext, what: string, totalBytes: number): Bar {
  if (context.json || !context.terminal.bars || totalBytes === 0) return silent;
  const bar = new cliProgress.SingleBar(
    {
      stream: context.terminal.bars,
      clearOnComplete: true,
      hideCursor: true,
      format: (options, params) => {
        const filled = cliProgress.Format.BarFormat(params.progress, options);
        const percent = Math.floor(params.progress * 100);
        return `${what} ${filled} ${percent} % ${showBytes(params.value)} of ${showBytes(params.total)}`;
      },
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(totalBytes, 0);
  return { add: (bytes) => bar.increment(bytes), stop: () => bar.stop() };
}
