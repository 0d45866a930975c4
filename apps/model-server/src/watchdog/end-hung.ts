import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { Logger } from '@sluice/service-kit/logger';
import type { CrashFile } from './crash-file.ts';
import type { Hang, WatchedThread } from './watchdog.ts';

/** A thread that can be given up. */
interface HungThread extends WatchedThread {
  giveUp(crashNumber: number, error: SluiceError): void;
}

export interface EndHungPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly crash: Pick<CrashFile, 'blame' | 'versionOf'>;
  readonly versions: {
    hang(of: { readonly model: string; readonly version: number }, error: SluiceError): void;
  };
  /** Says on health and to routers that nothing new should come, and resolves when what is here has been answered. */
  readonly drain: (signal: AbortSignal) => Promise<void>;
  /** What requests of other versions get, in milliseconds. */
  readonly drainMs: number;
  /** Ends this process at once: a thread in native code stops for nothing less than SIGKILL. */
  readonly endProcess: () => void;
}

/** What is told to end when the time is up gets so long to say so, in milliseconds. */
const graceMs = 100;

/**
 * The cure for a native call that does not end: its callers are answered, the runtime leaves the routers' choice, others get
 * a moment to finish, and the process ends itself, so that its supervisor starts it again. The crash file says for what.
 */
export async function endHung(ports: EndHungPorts, { thread, version, doing, ms }: Hang<HungThread>): Promise<void> {
  const { clock, logger, crash, versions } = ports;
  const named = crash.versionOf(version);
  const { model, version: number } = named ?? { model: 'an unknown model', version: 0 };
  const what = doing === 'running' ? 'a run' : 'its load';
  // At first: should anything below go wrong, the next life knows.
  crash.blame(version, doing);
  logger.error({ model, version: number, doing, ms }, 'a native call does not end: this process will be ended for it');
  const message = `${model} version ${number}: the model did not end ${what} within ${ms} ms; its runtime is being restarted`;
  const error = new SluiceError('internal', message, { neverAgain: true });
  if (named) versions.hang(named, error);
  thread.giveUp(version, error);
  const over = new AbortController();
  const spent = Promise.withResolvers<undefined>();
  const timers = [
    clock.schedule(ports.drainMs, () => over.abort()),
    clock.schedule(ports.drainMs + graceMs, () => spent.resolve(undefined)),
  ];
  const drained = ports.drain(over.signal).catch((thrown: unknown) => {
    logger.error({ err: thrown }, 'draining before the end failed');
  });
  await Promise.race([drained, spent.promise]);
  for (const timer of timers) timer.cancel();
  logger.fatal({ model, version: number }, 'the process ends itself');
  ports.endProcess();
}
