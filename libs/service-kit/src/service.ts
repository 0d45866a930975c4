import type { Clock } from '@sluice/domain/clock';
import type { Logger } from './logger.ts';

/** Where a service is in its life. It only ever moves down this list. */
export const serviceStates = [
  /** `start` is running; nothing is served yet. */
  'starting',
  /** Serves; the line with `msg: "ready"` was logged. */
  'serving',
  /** Told to stop: takes nothing new, finishes what it has, within the drain budget. */
  'draining',
  /** Everything was closed. `runService` has ended. */
  'stopped',
] as const;
export type ServiceState = (typeof serviceStates)[number];

/** A service that serves. The four steps of a stop are called once each, in this order. */
export interface Running {
  /** The ports that are really bound, logged in the ready line. */
  readonly ports: Readonly<Record<string, number>>;
  /** Says NOT_SERVING and refuses new requests. Must not wait for those in flight. */
  stopAccepting(): Promise<void>;
  /** Resolves when nothing is in flight. `signal` aborts when the budget is spent: end the rest then. */
  finish(signal: AbortSignal): Promise<void>;
  /** Closes what the service opened: models, pools, files. */
  close(): Promise<void>;
  /** What is still in flight, a line each, for the log of a slow drain. */
  busy(): string[];
}

/** The parts of Node's process that a service listens to. */
export interface ProcessPort {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  removeListener(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Undefined without an IPC channel. */
  readonly send?: unknown;
  readonly connected?: boolean | undefined;
}

export interface ServiceOptions {
  readonly name: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** One budget for all of the stop, in milliseconds; 0 ends requests in flight at once. */
  readonly drainMs: number;
  readonly start: () => Promise<Running>;
  /** Told of every state. */
  readonly onState?: (state: ServiceState) => void;
  /** Default: this process. */
  readonly process?: ProcessPort;
}

/** Beyond the drain budget, closing gets this long before the process gives up on it. */
const closeGraceMs = 2_000;
const stopSignals = ['SIGTERM', 'SIGINT'] as const;

interface StopReason {
  readonly why: string;
  readonly error?: unknown;
}

/**
 * Runs a service until it is told to stop: by SIGTERM or SIGINT (a second one then has Node's own effect and kills), by
 * the end of its IPC channel (its supervisor is gone), or by an error that nobody caught.
 *
 * @returns the exit code: 0 after a stop that was asked for, 1 after an uncaught error or when closing failed
 * @throws what `start` throws
 */
export async function runService(options: ServiceOptions): Promise<number> {
  // Timers of a Clock keep no process alive; without this one a stop that waits only for them would end half-way.
  const keepAlive = setInterval(() => undefined, 0x7fff_ffff);
  try {
    return await run(options);
  } finally {
    clearInterval(keepAlive);
  }
}

async function run(options: ServiceOptions): Promise<number> {
  const { logger, clock, name } = options;
  const stop = listenForStop(options.process ?? process, logger);
  options.onState?.('starting');
  let running: Running;
  try {
    const first = await Promise.race([options.start(), stop.reason]);
    if ('why' in first) {
      logger.info({ reason: first.why }, 'stopped before it served');
      options.onState?.('stopped');
      return first.error === undefined ? 0 : 1;
    }
    running = first;
  } catch (error) {
    stop.dispose();
    throw error;
  }
  options.onState?.('serving');
  logger.info({ ...running.ports }, 'ready');
  const reason = await stop.reason;
  stop.dispose();
  options.onState?.('draining');
  logger.info({ reason: reason.why, drainMs: options.drainMs }, `${name} is draining`);
  const clean = await drain(running, logger, clock, options.drainMs);
  options.onState?.('stopped');
  logger.info('stopped');
  return clean && reason.error === undefined ? 0 : 1;
}

function listenForStop(port: ProcessPort, logger: Logger): { reason: Promise<StopReason>; dispose: () => void } {
  const { promise, resolve } = Promise.withResolvers<StopReason>();
  const listeners: [string, (...args: unknown[]) => void][] = [];
  const on = (event: string, listener: (...args: unknown[]) => void): void => {
    port.on(event, listener);
    listeners.push([event, listener]);
  };
  const removeStopListeners = (): void => {
    for (const [event, listener] of listeners.splice(0)) port.removeListener(event, listener);
  };
  for (const signal of stopSignals)
    on(signal, () => {
      removeStopListeners();
      resolve({ why: signal });
    });
  if (port.send !== undefined) {
    on('disconnect', () => resolve({ why: 'the channel to the supervisor closed' }));
    if (port.connected === false) resolve({ why: 'the channel to the supervisor is closed' });
  }
  // These two stay during the drain, where a second failure is logged too.
  const failed = (error: unknown): void => {
    logger.fatal({ err: error }, 'uncaught error');
    resolve({ why: 'an uncaught error', error });
  };
  for (const event of ['uncaughtException', 'unhandledRejection']) port.on(event, failed);
  return { reason: promise, dispose: removeStopListeners };
}

/** Runs the steps of a stop within one budget; false when one of them failed or did not end. */
async function drain(running: Running, logger: Logger, clock: Clock, drainMs: number): Promise<boolean> {
  const end = clock.monotonic() + drainMs;
  const budget = new AbortController();
  const spent = Promise.withResolvers<undefined>();
  const timer = clock.schedule(drainMs, () => {
    const busy = running.busy();
    if (busy.length > 0) logger.warn({ busy }, 'drain budget spent: ending what is in flight');
    budget.abort();
    spent.resolve(undefined);
  });
  const steps = async (): Promise<void> => {
    await running.stopAccepting();
    const report = reportBusy(running, logger, clock);
    try {
      await running.finish(budget.signal);
    } finally {
      report.cancel();
    }
  };
  let clean = await settled(logger, 'draining', steps(), afterGrace(clock, spent.promise));
  timer.cancel();
  const closeMs = Math.max(0, end - clock.monotonic()) + closeGraceMs;
  const tooLate = Promise.withResolvers<undefined>();
  const closeTimer = clock.schedule(closeMs, () => tooLate.resolve(undefined));
  clean = (await settled(logger, 'closing', running.close(), tooLate.promise)) && clean;
  closeTimer.cancel();
  return clean;
}

/** After the abort the work that was told to end gets a moment to do so. */
async function afterGrace(clock: Clock, spent: Promise<undefined>): Promise<void> {
  await spent;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  clock.schedule(closeGraceMs / 2, () => resolve(undefined));
  await promise;
}

async function settled(logger: Logger, step: string, work: Promise<void>, limit: Promise<unknown>): Promise<boolean> {
  const outcome = await Promise.race([
    work.then(
      () => 'done' as const,
      (error: unknown) => {
        logger.error({ err: error }, `${step} failed`);
        return 'failed' as const;
      },
    ),
    limit.then(() => 'late' as const),
  ]);
  if (outcome === 'late') logger.error(`${step} did not end in time; going on without it`);
  return outcome === 'done';
}

/** Once a second while a drain lasts, logs who is still busy. */
function reportBusy(running: Running, logger: Logger, clock: Clock): { cancel: () => void } {
  let timer = clock.schedule(1000, report);
  function report(): void {
    const busy = running.busy();
    if (busy.length > 0) logger.info({ busy }, 'still busy');
    timer = clock.schedule(1000, report);
  }
  return { cancel: () => timer.cancel() };
}
