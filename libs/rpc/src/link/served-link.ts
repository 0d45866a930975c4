import type { Timer } from '@sluice/domain/clock';
import type { MethodStats } from '@sluice/telemetry/request-stats';
import { NumberMap } from '@sluice/wire/number-map';
import type { ServerCore } from '../server-core.ts';
import { isAtDeadline } from '../unary-life.ts';
import { LinkFault, frameTypes, linkVersion, numberFrame } from './frames.ts';
import type { Hello, MessageHead, MessageType } from './frames.ts';
import type { LinkServerOptions } from './link-handler.ts';
import { LinkedCall } from './linked-call.ts';
import type { AnswerCarrier, ServedMethod } from './linked-call.ts';
import { Outgoing } from './outbox.ts';
import { LinkPeer, alone, defaultLimits, maxBatchBytes } from './peer.ts';
import type { PeerOwner } from './peer.ts';

/** The stream under a link, as its server sees it. */
export interface ServedStream {
  readonly peer: string;
  /** Sends one message; the next one only after `sent` was called. */
  send(message: Buffer, sent: () => void): void;
  /** Ends the stream after what was sent. @param refusal why, unless all is well */
  end(refusal?: { readonly code: number; readonly details: string }): void;
}

export interface ServedLinkOptions {
  readonly core: ServerCore;
  readonly methods: readonly ServedMethod[];
  readonly stats: MethodStats;
  readonly options: LinkServerOptions;
  /** Longest request. */
  readonly maxRequestBytes: number;
  /** Told once when it is over. */
  readonly ended: (link: ServedLink) => void;
}

const statusInvalid = 3;
const statusPrecondition = 9;
const statusUnavailable = 14;

/** How long a caller may take to end the stream, or to take more answers, once it was asked to leave. */
const leaveMs = 1_000;

/** The server's end of one stream, with the calls that came over it. */
export class ServedLink implements PeerOwner, AnswerCarrier {
  readonly core: ServerCore;
  readonly peer: string;
  takesFacts = false;
  readonly #options: ServedLinkOptions;
  readonly #stream: ServedStream;
  readonly #peer: LinkPeer;
  readonly #calls = new NumberMap<LinkedCall>();
  readonly #startedMs: number;
  #draining = false;
  #leaveTimer: Timer | undefined;
  #over = false;

  constructor(stream: ServedStream, options: ServedLinkOptions) {
    this.#options = options;
    this.#stream = stream;
    this.core = options.core;
    this.peer = stream.peer;
    const { clock } = options.core;
    const { stallBytes = 64 * 1024 * 1024, limits, defer } = options.options;
    this.#peer = new LinkPeer({
      owner: this,
      limits: { ...defaultLimits, ...limits, stallBytes },
      methods: options.methods.map((method) => method.name),
      maxBatchBytes: Math.min(maxBatchBytes, options.maxRequestBytes),
      monotonic: () => clock.monotonic(),
      defer: defer ?? ((fn) => void setImmediate(fn)),
      send: (message, sent) => this.#stream.send(message, sent),
    });
    this.#startedMs = clock.monotonic();
    options.stats.started();
  }

  /** Calls that came over it and are not answered. */
  get inFlight(): number {
    return this.#calls.size;
  }
  /** Bytes of answers that have not left. */
  get waitingBytes(): number {
    return this.#peer.outbox.waitingBytes;
  }

  receive(message: Buffer): void {
    this.#peer.receive(message);
  }

  /** Asks the caller to send nothing new; it ends the stream when all that it sent is answered. */
  drain(): void {
    if (this.#over) return;
    this.#draining = true;
    this.#peer.outbox.control(numberFrame(frameTypes.GOAWAY));
    this.#leaveWhenIdle();
  }

  /** Answers what is left with the reason why the server ends it, and ends the stream. */
  expire(): void {
    if (this.#over) return;
    for (const call of this.#calls.values()) call.expire();
    this.#peer.outbox.flushSmall();
    this.#finish(statusUnavailable, { code: statusUnavailable, details: 'the server is stopping' });
  }

  /** The caller ended the stream or is gone: nobody waits for anything any more. @param code how the stream ended */
  gone(code: number): void {
    this.#finish(code, undefined);
  }

  answer(call: LinkedCall, type: MessageType, code: number, pairs: Uint8Array, message: Uint8Array): void {
    this.#calls.delete(call.number);
    if (this.#over) return;
    // It may be answered before its message is whole.
    this.#peer.forget(call.number);
    this.#peer.send(new Outgoing(type, call.number, code, pairs, message));
    this.#leaveWhenIdle();
  }

  // What the peer's half tells of.
  opened({ version, takesFacts }: Hello): void {
    this.#peer.greet();
    this.takesFacts = takesFacts === true;
    if (Math.abs(version - linkVersion) <= 1) return;
    this.#peer.outbox.flush();
    const details = `the caller speaks version ${version} of the link, this server ${linkVersion}`;
    this.#finish(statusPrecondition, { code: statusPrecondition, details });
  }

  begins(head: MessageHead): boolean {
    if (head.type !== frameTypes.REQUEST) throw new LinkFault('an answer from a client');
    if (this.#calls.has(head.call)) throw new LinkFault(`call ${head.call} is in flight already`);
    const method = this.#options.methods[head.code];
    if (method === undefined) throw new LinkFault(`a call of method ${head.code}, which was not offered`);
    const call = new LinkedCall(this, method, head);
    this.#calls.set(head.call, call);
    if (head.total <= this.#options.maxRequestBytes) return true;
    call.refuse(head.total, this.#options.maxRequestBytes);
    return false;
  }

  arrived(head: MessageHead, [message]: readonly [Buffer]): void {
    // It may have been ended while its chunks arrived.
    this.#calls.get(head.call)?.run(alone(message));
  }

  cancelled(number: number, late: boolean): void {
    const call = this.#calls.get(number);
    if (call === undefined) this.#peer.outbox.dropLarge(number);
    this.#calls.delete(number);
    call?.cancel(late);
    this.#leaveWhenIdle();
  }

  goaway(): void {
    throw new LinkFault('a GOAWAY from a client');
  }

  heard(): void {}

  broken(fault: LinkFault): void {
    this.core.logger.warn({ peer: this.peer, reason: fault.message, inFlight: this.#calls.size }, 'a link was closed');
    this.#finish(statusInvalid, { code: statusInvalid, details: `not the protocol of the link: ${fault.message}` });
  }

  /** A caller that stands still must not hold up a server that stops and works on nothing for it any more. */
  #leaveWhenIdle(): void {
    if (!this.#draining || this.#over || this.#calls.size > 0) return;
    const { waitingBytes } = this;
    this.#leaveTimer ??= this.core.clock.schedule(leaveMs, () => {
      this.#leaveTimer = undefined;
      if (this.#calls.size > 0) return;
      const moves = this.waitingBytes > 0 && this.waitingBytes !== waitingBytes;
      if (moves) this.#leaveWhenIdle();
      else this.#finish(statusUnavailable, { code: statusUnavailable, details: 'the server is stopping' });
    });
  }

  #finish(code: number, refusal: { readonly code: number; readonly details: string } | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaveTimer?.cancel();
    this.#peer.close();
    const now = this.core.clock.now();
    for (const call of this.#calls.values()) call.cancel(isAtDeadline(now, call.deadlineMs));
    this.#calls.clear();
    this.#options.stats.ended(code, this.core.clock.monotonic() - this.#startedMs);
    this.#stream.end(refusal);
    this.#options.ended(this);
  }
}
