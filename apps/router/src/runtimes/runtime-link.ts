import type { ResponseOutput, RuntimeServiceMethods } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import type { Offer } from '@sluice/domain/device';
import { SluiceError } from '@sluice/domain/errors';
import type { RawCallOptions, RawClientCall, RawOutcome } from '@sluice/rpc/raw-client';
import type { Logger } from '@sluice/service-kit/logger';
import { logOutage } from '@sluice/service-kit/outage';
import { versionKey } from '../route/table.ts';
import { isRunning, pause } from '../watch/pause.ts';

/** Version of the status watch that this router speaks. */
export const statusProtocol = 1;

export type RuntimeStatus = ResponseOutput<RuntimeServiceMethods['watchStatus']>;

/** Where a link is. Requests go to runtimes that are `up`. */
export const linkStates = [
  /** No status yet, or not since the connection broke; trying to reach it. */
  'connecting',
  /** Its status stream stands. */
  'up',
  /** It stops: what it has is finished, nothing new is sent. */
  'draining',
  'closed',
] as const;
export type LinkState = (typeof linkStates)[number];

/** The connection that inferences of one runtime share. */
export interface InferenceConnection {
  call(path: string, message: Uint8Array, options: RawCallOptions, done: (outcome: RawOutcome) => void): RawClientCall;
  /** Whether there is a connection; asks for one when there is none. */
  isConnected(): boolean;
  close(): void;
}

export interface RuntimeLinkOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connection: InferenceConnection;
  readonly watchStatus: (signal: AbortSignal) => AsyncIterable<RuntimeStatus>;
  /** Milliseconds to wait before the next try; `failures` counts from 1 since the stream last stood. */
  readonly backoffMs: (failures: number) => number;
  /** Told after every change of `state`, `ready` or `notReady`. */
  readonly onChange: () => void;
}

/** One runtime as this router sees it: what it has ready, whether it lives, and what is in flight there. */
export class RuntimeLink {
  readonly address: string;
  /** Requests that were sent and are not answered. */
  inFlight = 0;
  /** Requests that were sent since this router knows the runtime. */
  sent = 0;
  /** Counts the times that the runtime came up: what was learnt of it before does not hold for the next one. */
  session = 0;
  runtimeId = '';
  /** Its pool and devices, as the registry tells of them; undefined before it does. */
  offer: Offer | undefined;
  #state: LinkState = 'connecting';
  #isLost = false;
  #ready: ReadonlySet<string> = new Set();
  #notReady: ReadonlyMap<string, string> = new Map();
  #onDemand: ReadonlySet<string> = new Set();
  /** A request for a version that exists and is not placed makes it load that version. */
  loadsOnDemand = false;
  readonly #options: RuntimeLinkOptions;
  readonly #stop = new AbortController();

  constructor(options: RuntimeLinkOptions) {
    this.#options = options;
    this.address = options.address;
  }

  get state(): LinkState {
    return this.#state;
  }
  /** True when it is not there: a try to reach it has failed since its stream last stood. False while one is under way. */
  get isLost(): boolean {
    return this.#isLost;
  }
  /** Keys of the versions that it can run now. */
  get ready(): ReadonlySet<string> {
    return this.#ready;
  }

  /** Keys of the versions that it cannot run now, and that requests wait for there. */
  get onDemand(): ReadonlySet<string> {
    return this.#onDemand;
  }

  /** Keys of the versions that it is told to have and cannot run now, with why; '' while it is loading one. */
  get notReady(): ReadonlyMap<string, string> {
    return this.#notReady;
  }

  /**
   * Asks something that is no inference: it is not counted, and no breaker stands before it.
   * @param signal gives up; the outcome is an error of kind `cancelled` then
   */
  ask(path: string, message: Uint8Array, options: RawCallOptions, signal?: AbortSignal): Promise<RawOutcome> {
    return new Promise((resolve) => {
      const call = this.#options.connection.call(path, message, options, (outcome) => {
        signal?.removeEventListener('abort', stop);
        resolve(outcome);
      });
      const stop = (): void => call.cancel();
      signal?.addEventListener('abort', stop);
      if (signal?.aborted === true) stop();
    });
  }

  /** Sends an inference and counts it until `done`. */
  send(path: string, message: Uint8Array, options: RawCallOptions, done: (outcome: RawOutcome) => void): RawClientCall {
    const call = this.#options.connection.call(path, message, options, (outcome) => {
      this.inFlight--;
      done(outcome);
    });
    // `done` is never called before `call` returns, and not at all when it throws.
    this.inFlight++;
    this.sent++;
    return call;
  }

  /** Follows the runtime's status until `close`. */
  async run(): Promise<void> {
    const { clock, logger, backoffMs } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    while (isRunning(signal)) {
      let stood = false;
      try {
        for await (const status of this.#options.watchStatus(signal)) {
          this.#isLost = false;
          this.#receive(status);
          stood = true;
          // Not before: a status that cannot be taken is a failure like any other.
          failures = 0;
        }
      } catch (error) {
        if (isRunning(signal) && failures === 0) {
          logOutage(logger, error, 'a runtime cannot be reached', { runtime: this.address });
        }
      }
      this.#isLost = !stood;
      this.#set('connecting', new Set());
      failures++;
      await pause(clock, backoffMs(failures), signal);
    }
  }

  /** Stops following it and ends its connection. */
  close(): void {
    this.#stop.abort();
    this.#set('closed', new Set());
    this.#options.connection.close();
  }

  #receive(status: RuntimeStatus): void {
    if (status.protocolVersion > statusProtocol + 1) {
      throw new SluiceError(
        'failed-precondition',
        `the runtime speaks version ${status.protocolVersion} of the status watch, this router ${statusProtocol}`,
      );
    }
    if (this.#state !== 'up' && this.#state !== 'draining') {
      this.session++;
      this.runtimeId = status.runtimeId;
      this.#options.connection.isConnected();
      this.#options.logger.info({ runtime: this.address, runtimeId: status.runtimeId }, 'runtime is up');
    }
    const ready = status.versions.filter((version) => version.ready);
    const others = status.versions.filter((version) => !version.ready);
    const waiting = others.filter(({ onDemand }) => onDemand);
    this.#onDemand = new Set(waiting.map(({ model, version }) => versionKey(model, version)));
    this.loadsOnDemand = status.loadsOnDemand;
    this.#set(
      status.draining ? 'draining' : 'up',
      new Set(ready.map((version) => versionKey(version.model, version.version))),
      new Map(others.map(({ model, version, reason }) => [versionKey(model, version), reason])),
    );
  }

  /** @param notReady stays as it is where nothing is said of it */
  #set(state: LinkState, ready: ReadonlySet<string>, notReady = this.#notReady): void {
    if (this.#state === 'closed') return;
    const isEmpty = ready.size === 0 && notReady.size === 0;
    if (this.#state === state && this.#ready.size === 0 && this.#notReady.size === 0 && isEmpty) return;
    if (state === 'connecting' && this.#state !== 'connecting') {
      this.#options.logger.warn({ runtime: this.address, runtimeId: this.runtimeId }, 'runtime is gone');
    }
    this.#state = state;
    this.#ready = ready;
    this.#notReady = notReady;
    this.#options.onChange();
  }
}
