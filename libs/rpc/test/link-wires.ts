import { SluiceError } from '@sluice/domain/errors';
import { MethodStats } from '@sluice/telemetry/request-stats';
import type { Logger } from '@sluice/service-kit/logger';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { ActiveCalls } from '../src/active-calls.ts';
import type { RawCall, RawUnaryHandler } from '../src/handlers.ts';
import { LinkClient } from '../src/link/client.ts';
import type { LinkClientOptions } from '../src/link/client.ts';
import type { LinkServerOptions } from '../src/link/link-handler.ts';
import { ServedLink } from '../src/link/served-link.ts';
import type { LinkEvents, LinkTransport } from '../src/link/transport.ts';
import type { RawCallOptions, RawClientCall, RawOutcome } from '../src/raw-client.ts';
import type { ServerCore } from '../src/server-core.ts';
import { SlowPeers } from '../src/slow-peers.ts';
import type { ReceivedStatus } from '../src/status.ts';

export const method = 'inference.GRPCInferenceService/ModelInfer';
export const inferPath = `/${method}`;
export const mebi = 1024 * 1024;

/** A request that a server got. */
export interface Got {
  readonly message: Buffer;
  readonly call: RawCall;
}

export interface WiresOptions {
  readonly client?: Partial<LinkClientOptions>;
  readonly server?: LinkServerOptions;
  readonly maxRequestBytes?: number;
  readonly handler?: RawUnaryHandler;
}

/**
 * A client and a server of a link in one process, without a transport: messages travel when `pump` moves them, time when
 * the clock is advanced.
 */
export class Wires {
  readonly clock = new FakeClock();
  readonly got: Got[] = [];
  readonly lines: Record<string, unknown>[] = [];
  readonly stats = { link: new MethodStats('Link'), infer: new MethodStats(method) };
  readonly core: ServerCore;
  readonly client: LinkClient;
  /** Messages that travelled, by direction. */
  readonly sent = { toServer: [] as Buffer[], toClient: [] as Buffer[] };
  /** Replaces messages on their way; undefined loses one. */
  mangle: (message: Buffer, to: 'toServer' | 'toClient') => Buffer | undefined = (message) => message;
  /** How the next streams end instead of being served. */
  refusal: ReceivedStatus | undefined;
  /** Directions in which nothing moves. */
  readonly stuck = { toServer: false, toClient: false };
  server: ServedLink | undefined;
  /** The client's side of the stream that stands. */
  events: LinkEvents | undefined;
  dials = 0;
  /** Times that the client gave its transport a message before the last one had left. */
  overruns = 0;
  readonly #options: WiresOptions;
  readonly #turn: (() => void)[] = [];
  readonly #moving: { readonly to: 'toServer' | 'toClient'; readonly run: () => void }[] = [];

  constructor(options: WiresOptions = {}) {
    this.#options = options;
    const { clock } = this;
    const log = (level: string) => (fields: object, text: string) => this.lines.push({ level, text, ...fields });
    const logger = { warn: log('warn'), info: log('info') } as unknown as Logger;
    this.core = {
      clock,
      logger,
      active: new ActiveCalls(clock, 30_000),
      slowPeers: new SlowPeers(clock, 0),
      streamIdleMs: 0,
      maxAnswerBytes: 64 * mebi,
      defaultDeadlineMs: 30_000,
      logDefect: (cause, name, peer) => this.lines.push({ level: 'error', cause, name, peer }),
      endingError: () => new SluiceError('unavailable', 'the server is stopping'),
    };
    this.client = new LinkClient({
      ...{ address: 'runtime:1', clock, logger, random: { uniform: () => 1 } },
      dial: (events) => this.#dial(events),
      defer: (fn) => this.#turn.push(fn),
      ...options.client,
    });
  }

  /** Starts a call; the outcome is in the promise. */
  call(message: Uint8Array, options: Partial<RawCallOptions> = {}): Promise<RawOutcome> & { call: RawClientCall } {
    const { promise, resolve } = Promise.withResolvers<RawOutcome>();
    const deadlineMs = this.clock.now() + 20_000;
    const call = this.client.call(inferPath, message, { deadlineMs, ...options }, resolve);
    return Object.assign(promise, { call });
  }

  /** Moves messages until nothing moves any more, or `turns` have passed. */
  pump(turns = 100_000): void {
    for (let turn = 0; turn < turns; turn++) {
      const next = this.#turn.shift();
      if (next !== undefined) {
        next();
        continue;
      }
      const index = this.#moving.findIndex(({ to }) => !this.stuck[to]);
      if (index < 0) return;
      this.#moving.splice(index, 1)[0]!.run();
    }
  }

  /** A link that stands, with its HELLOs exchanged. */
  open(): this {
    this.client.isConnected();
    this.pump();
    return this;
  }

  /** Time passes while both ends are awake: whoever is pinged answers. */
  live(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left));
      this.pump();
    }
  }

  #dial(events: LinkEvents): LinkTransport {
    this.dials++;
    let isOpen = true;
    const endClient = (status: ReceivedStatus): void => {
      this.#moving.push({
        to: 'toClient',
        run: () => {
          if (isOpen) events.ended(status);
          isOpen = false;
        },
      });
    };
    this.events = events;
    if (this.refusal !== undefined) {
      endClient(this.refusal);
      return { send: () => undefined, end: () => undefined, abort: () => (isOpen = false) };
    }
    const carry =
      (to: 'toServer' | 'toClient', take: (message: Buffer) => void) => (message: Buffer, sent: () => void) =>
        void this.#moving.push({
          to,
          run: () => {
            this.sent[to].push(message);
            const mangled = this.mangle(message, to);
            sent();
            if (isOpen && mangled !== undefined) take(mangled);
          },
        });
    const server = new ServedLink(
      {
        peer: 'router:1',
        send: carry('toClient', (message) => events.message(message)),
        end: (refusal) => endClient({ code: refusal?.code ?? 0, details: refusal?.details ?? '', trailers: {} }),
      },
      {
        core: this.core,
        methods: [
          {
            name: method,
            stats: this.stats.infer,
            refusalTrailers: () => ({ 'sluice-prediction-id': 'refused' }),
            handler: (message, call) => {
              this.got.push({ message, call });
              return this.#options.handler?.(message, call);
            },
          },
        ],
        stats: this.stats.link,
        options: { defer: (fn) => this.#turn.push(fn), ...this.#options.server },
        maxRequestBytes: this.#options.maxRequestBytes ?? 64 * mebi,
        ended: () => (this.server = undefined),
      },
    );
    this.server = server;
    const send = carry('toServer', (message) => server.receive(message));
    let sending = false;
    return {
      send: (message, sent) => {
        if (sending) this.overruns++;
        sending = true;
        send(message, () => {
          sending = false;
          sent();
        });
      },
      end: () => void this.#moving.push({ to: 'toServer', run: () => server.gone(0) }),
      abort: () => {
        isOpen = false;
        this.#moving.push({ to: 'toServer', run: () => server.gone(1) });
      },
    };
  }
}

/** Lets microtasks run. */
export const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
