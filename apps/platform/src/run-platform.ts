import path from 'node:path';
import { banner } from './banner.ts';
import { exampleRequest, pushExamples } from './examples.ts';
import { exampleFolder } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { MergedLog } from './merged-log.ts';
import { Platform } from './platform.ts';
import type { PlatformOptions } from './platform.ts';

export interface RunOptions extends Omit<PlatformOptions, 'log'> {
  readonly print: (text: string) => void;
  readonly colour: boolean;
  /** Resolves with the reason when the platform is to stop. */
  readonly stop: Promise<string>;
}

/** Runs a platform until it is told to stop. Resolves with 0 after that, throws when it cannot start. */
export async function runPlatform(options: RunOptions): Promise<number> {
  const { clock, config, home } = options;
  // Timers of a Clock keep no process alive.
  const keepAlive = setInterval(() => undefined, 0x7fff_ffff);
  const files = new LogFiles(
    { folder: path.join(home, 'logs'), megabytes: config.logFileMegabytes, keep: config.logFiles },
    (problem) => options.print(`sluice: ${problem}\n`),
  );
  const log = new MergedLog({
    files,
    print: options.print,
    colour: options.colour,
    now: () => new Date(clock.now()).toISOString(),
  });
  const platform = new Platform({ ...options, log });
  try {
    const why = await Promise.race([options.stop, bringUp(platform, options, log)]);
    log.say('platform', 'info', `stopping (${why})`);
    await platform.stop();
    log.say('platform', 'info', 'stopped');
    return 0;
  } catch (error) {
    await platform.stop();
    throw error;
  } finally {
    await files.close();
    clearInterval(keepAlive);
  }
}

/** Starts the platform and its examples and says so; then waits for the word to stop. */
async function bringUp(platform: Platform, options: RunOptions, log: MergedLog): Promise<string> {
  await platform.start();
  const examples = options.config.examples ? exampleFolder(options.layout) : undefined;
  if (examples !== undefined) {
    await pushExamples({
      folder: examples,
      ports: platform.ports,
      clock: options.clock,
      say: (severity, text) => log.say('platform', severity, text),
    });
  }
  options.print(
    banner({
      ports: platform.ports,
      home: options.home,
      databaseFolder: platform.databaseFolder ?? '',
      isClone: options.layout.isClone,
      request: examples === undefined ? undefined : await exampleRequest(examples),
    }),
  );
  return options.stop;
}
