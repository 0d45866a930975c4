import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError, failedPrecondition } from '@sluice/domain/errors';
import type { TlsSource } from '@sluice/rpc/tls/source';
import { openTls } from '@sluice/service-kit/tls/open-tls';
import type { Tls } from '@sluice/service-kit/tls/open-tls';
import { banner } from './banner.ts';
import { firstDigit, pushExamples } from './examples.ts';
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
  await openHome(home);
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
  let tls: Tls | undefined;
  try {
    tls = await openFiles(options, log);
    const why = await Promise.race([options.stop, bringUp(platform, options, log, tls.client)]);
    log.say('platform', 'info', `stopping (${why})`);
    await platform.stop();
    log.say('platform', 'info', 'stopped');
    return 0;
  } catch (error) {
    await platform.stop();
    throw error;
  } finally {
    tls?.close();
    await files.close();
    clearInterval(keepAlive);
  }
}

async function openHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true });
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = SluiceError.from(error).message;
    throw failedPrecondition(
      `cannot keep data in ${home} (${why}): start as the user that it belongs to, or with a home of your own, as in \`npm start -- --home ~/sluice\``,
    );
  }
}

/** Checks the files of TLS before anything is started. The services read them themselves. */
async function openFiles({ config, clock }: RunOptions, log: MergedLog): Promise<Tls> {
  if (config.tlsCertFile !== '' && config.tlsCaFile === '')
    throw failedPrecondition('SLUICE_TLS_CERT_FILE needs SLUICE_TLS_CA_FILE too: the services call one another');
  const say = (severity: string) => (_line: unknown, text?: string) => log.say('platform', severity, text ?? '');
  return openTls(config, { clock, logger: { info: say('info'), warn: say('warn'), error: say('error') } });
}

/** Starts the platform and its examples and says so; then waits for the word to stop. */
async function bringUp(
  platform: Platform,
  options: RunOptions,
  log: MergedLog,
  tls: TlsSource | undefined,
): Promise<string> {
  await platform.start();
  const examples = options.config.examples ? exampleFolder(options.layout) : undefined;
  const say = (severity: string, text: string): void => log.say('platform', severity, text);
  const unapproved =
    examples === undefined
      ? []
      : await pushExamples({ folder: examples, ports: platform.ports, clock: options.clock, tls, say });
  options.print(
    banner({
      ports: platform.ports,
      home: options.home,
      databaseFolder: platform.databaseFolder ?? '',
      tls: options.config,
      isClone: options.layout.isClone,
      unapproved,
      example: examples === undefined ? undefined : await firstDigit(examples),
    }),
  );
  return options.stop;
}
