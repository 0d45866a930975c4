import type { Clock, Timer } from '@sluice/domain/clock';
import { NumberMap } from '@sluice/wire/number-map';
import type { Pieces } from '../raw-client.ts';
import { RpcError, answeredWith, statusCodes, transportReason } from '../status.ts';
import type { ReceivedStatus } from '../status.ts';
import { Deadlines } from '@sluice/wire/deadlines';
import { LinkFault, frameTypes, linkVersion, numberFrame } from './frames.ts';
import type { Hello, MessageHead } from './frames.ts';
import type { LinkedRequest } from './linked-request.ts';
import { Liveness } from './liveness.ts';
import { Outgoing, bytesBesidePayload } from './outbox.ts';
import { LinkPeer, maxBatchBytes, maxFrameBytes } from './peer.ts';
import type { PeerLimits, PeerOwner } from './peer.ts';
import type { LinkDial, LinkTransport } from './transport.ts';

/** Why a session is over. */
export interface SessionEnd {
  /**
   * `unsupported`: the peer has no link that this side can speak. `drained`: it said that it stops, and nothing was left.
   * `silent`: it is there, perhaps, and says nothing.
   */
  readonly kind: 'unsupported' | 'failed' | 'silent' | 'drained';
  readonly reason: string;
  /** Requests that were on it. */
  readonly inFlight: number;
}

export interface SessionOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly dial: LinkDial;
  readonly limits: PeerLimits;
  readonly maxMessageBytes: number;
  readonly helloMs: number;
  readonly pingMs: number;
  readonly silenceMs: number;
  readonly defer: (fn: () => void) => void;
  /** Carries a request whose method the peer does not take over the link, or which waited for a link that cannot be. */
  readonly unary: (request: LinkedRequest) => void;
  readonly opened: () => void;
  /** Told once, before the requests that were on it are. */
  readonly ended: (end: SessionEnd) => void;
}

/** The client's end of one stream: from its opening to its end, with the requests that are on it. */
export class LinkSession implements PeerOwner {
  readonly #options: SessionOptions;
  readonly #transport: LinkTransport;
  readonly #peer: LinkPeer;
  readonly #deadlines: Deadlines;
  readonly #liveness: Liveness;
  readonly #helloTimer: Timer;
  /** Requests that wait for HELLO. */
  readonly #early = new Set<LinkedRequest>();
  #earlyBytes = 0;
  readonly #requests = new NumberMap<LinkedRequest>();
  #methods: ReadonlyMap<string, number> | undefined;
  #number = 0;
  #pings = 0;
  #leaving = false;
  #over = false;
  /** `Clock.monotonic()` of the peer's HELLO. */
  openedAt: number | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { clock, limits, defer, helloMs, pingMs, silenceMs } = options;
    this.#deadlines = new Deadlines(clock);
    this.#liveness = new Liveness({
      ...{ clock, pingMs, silenceMs },
      ping: () => this.#peer.outbox.control(numberFrame(frameTypes.PING, this.#pings++ >>> 0)),
      silent: () => this.#end('silent', `it said nothing for ${silenceMs} ms`),
    });
    this.#helloTimer = clock.schedule(helloMs, () => this.#break(`no link within ${helloMs} ms`));
    this.#transport = options.dial({
      message: (message) => this.#peer.receive(message),
      ended: (status) => this.#ended(status),
    });
    this.#peer = new LinkPeer({
      ...{
        owner: this,
        limits,
        methods: [],
        takesFacts: true,
        maxBatchBytes,
        keepsPieces: true,
        defer,
        monotonic: () => clock.monotonic(),
      },
      send: (message, sent) => this.#transport.send(message, sent),
    });
    this.#peer.greet();
  }

  /** HELLO was exchanged, and the peer takes requests. */
  get isOpen(): boolean {
    return this.#methods !== undefined && !this.#leaving;
  }
  /** It takes no more requests; those that are on it end. */
  get isLeaving(): boolean {
    return this.#leaving;
  }
  /** Bytes of requests that have not left. */
  get waitingBytes(): number {
    return this.#earlyBytes + this.#peer.outbox.waitingBytes;
  }
  /** Requests that are on it. */
  get inFlight(): number {
    return this.#early.size + this.#requests.size;
  }

  /** Takes a request; it must not be leaving. */
  start(request: LinkedRequest): void {
    request.carrier = this;
    this.#deadlines.add(request);
    if (this.#methods === undefined) {
      this.#early.add(request);
      this.#earlyBytes += request.bytes + bytesBesidePayload;
    } else this.#send(request, this.#methods);
  }

  /** Lets the requests that are on it end, and then ends it. */
  leave(): void {
    this.#leaving = true;
    if (this.#methods === undefined) this.#break('the link was closed');
    else this.#endWhenDone();
  }

  withdraw(request: LinkedRequest, late: boolean): void {
    this.#deadlines.remove(request);
    if (this.#early.delete(request)) {
      this.#earlyBytes -= request.bytes + bytesBesidePayload;
      return;
    }
    if (!this.#requests.delete(request.number)) return;
    this.#peer.outbox.drop(request.outgoing!);
    this.#peer.forget(request.number);
    if (request.outgoing!.begun)
      this.#peer.outbox.control(numberFrame(frameTypes.CANCEL, request.number, late ? 1 : 0));
    this.#endWhenDone();
  }

  // What the peer's half tells of.
  opened(hello: Hello): void {
    this.#helloTimer.cancel();
    const unfit = unfitness(hello);
    if (unfit !== undefined) {
      this.#end('unsupported', unfit);
      return;
    }
    this.openedAt = this.#options.clock.monotonic();
    this.#methods = new Map(hello.methods.map((name, index) => [`/${name}`, index]));
    this.#liveness.start();
    this.#options.opened();
    const early = [...this.#early];
    this.#early.clear();
    this.#earlyBytes = 0;
    for (const request of early) this.#send(request, this.#methods);
  }

  begins({ type, call, total }: MessageHead): boolean {
    if (type === frameTypes.REQUEST) throw new LinkFault('a REQUEST from a server');
    const request = this.#requests.get(call);
    // Withdrawn while its answer was under way.
    if (request === undefined) return false;
    if (total <= this.#options.maxMessageBytes) return true;
    this.withdraw(request, false);
    const message = `the answer has ${total} bytes, more than the limit of ${this.#options.maxMessageBytes}`;
    request.fail(
      new RpcError('resource-exhausted', message, { origin: 'answered', code: statusCodes.RESOURCE_EXHAUSTED }),
    );
    return false;
  }

  arrived({ type, call, code, pairs, facts }: MessageHead, pieces: Pieces): void {
    const request = this.#requests.get(call)!;
    this.#requests.delete(call);
    this.#deadlines.remove(request);
    // A server may answer before it has a whole request: the rest is not wanted.
    this.#peer.outbox.drop(request.outgoing!);
    request.facts = facts;
    if (type === frameTypes.ANSWER) request.succeed(pieces, pairs);
    else {
      const details = Buffer.concat(pieces).toString();
      request.fail(answeredWith({ code, details, trailers: { ...pairs } }));
    }
    this.#endWhenDone();
  }

  cancelled(): void {
    throw new LinkFault('a CANCEL from a server');
  }

  goaway(): void {
    this.#leaving = true;
    const unsent = this.#requests.values().filter((request) => !request.outgoing!.begun);
    for (const request of unsent) {
      this.withdraw(request, false);
      request.fail(unsentError(this.#options.address, 'it is stopping'));
    }
    this.#endWhenDone();
  }

  heard(): void {
    this.#liveness.heard();
  }

  broken(fault: LinkFault): void {
    this.#break(`it does not speak the protocol: ${fault.message}`);
  }

  #send(request: LinkedRequest, methods: ReadonlyMap<string, number>): void {
    const { path, message, pairs, suffix } = request.options;
    const method = methods.get(path);
    if (method === undefined) {
      this.#deadlines.remove(request);
      this.#options.unary(request);
      return;
    }
    do this.#number = (this.#number + 1) >>> 0;
    while (this.#number === 0 || this.#requests.has(this.#number));
    request.number = this.#number;
    const { number, deadlineAt } = request;
    request.outgoing = new Outgoing(frameTypes.REQUEST, number, method, pairs, message, deadlineAt, suffix);
    this.#requests.set(request.number, request);
    this.#peer.send(request.outgoing);
  }

  #endWhenDone(): void {
    if (!this.#leaving || this.#over || this.#requests.size > 0) return;
    // What is left to say, such as a CANCEL, goes first.
    this.#peer.outbox.flush();
    this.#transport.end();
    this.#end('drained', 'the peer stopped');
  }

  #ended(status: ReceivedStatus): void {
    const isOpen = this.#methods !== undefined;
    const { code } = status;
    const unsupported = !isOpen && (code === statusCodes.UNIMPLEMENTED || code === statusCodes.FAILED_PRECONDITION);
    this.#end(unsupported ? 'unsupported' : 'failed', transportReason(status) || 'the stream ended');
  }

  #break(reason: string): void {
    this.#end('failed', reason);
  }

  #end(kind: SessionEnd['kind'], reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaving = true;
    this.#helloTimer.cancel();
    this.#liveness.stop();
    this.#deadlines.stop();
    this.#peer.close();
    if (kind !== 'drained') this.#transport.abort();
    const early = [...this.#early];
    const requests = this.#requests.values();
    this.#early.clear();
    this.#requests.clear();
    this.#earlyBytes = 0;
    this.#options.ended({ kind, reason, inFlight: early.length + requests.length });
    const { address, unary } = this.#options;
    for (const request of early)
      if (kind === 'unsupported') unary(request);
      else request.fail(unsentError(address, reason));
    for (const request of requests)
      request.fail(request.outgoing!.begun ? lostError(address, reason) : unsentError(address, reason));
  }
}

/** Why this side cannot speak with a peer; undefined when it can. */
function unfitness(hello: Hello): string | undefined {
  if (Math.abs(hello.version - linkVersion) > 1)
    return `it speaks version ${hello.version} of the link, this side ${linkVersion}`;
  if (hello.maxFrameBytes < maxFrameBytes || hello.maxBatchBytes < maxBatchBytes)
    return `it takes messages of ${Math.min(hello.maxBatchBytes, hello.maxFrameBytes)} bytes only`;
  return undefined;
}

/** A request that never left this process. */
export function unsentError(address: string, reason: string): RpcError {
  const details = { origin: 'unsent', code: statusCodes.UNAVAILABLE } as const;
  return new RpcError('unavailable', `${address} cannot be reached: ${reason}`, details);
}

function lostError(address: string, reason: string): RpcError {
  const details = { origin: 'lost', code: statusCodes.UNAVAILABLE } as const;
  return new RpcError('unavailable', `the connection to ${address} broke: ${reason}`, details);
}
