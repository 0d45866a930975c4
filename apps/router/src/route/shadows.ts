import type { Clock, Random } from '@sluice/domain/clock';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { Breaker, Permit } from '@sluice/resilience/breaker';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import { tellEnd } from './attempt-observer.ts';
import type { AttemptObserver } from './attempt-observer.ts';
import { chooseRuntime } from './choose-runtime.ts';
import { inferPath, settle } from './forward.ts';
import type { ArmRoute } from './release-route.ts';
import { targetIn } from './resolve.ts';
import { MirroredBytes, ShadowCopy } from './shadow-copy.ts';
import type { Mirrored } from './shadow-copy.ts';
import type { ModelRoute, VersionTarget } from './table.ts';

export interface ShadowBounds {
  /** Copies that wait or are in flight; 0 makes none. */
  readonly copies: number;
  /** Of these, those in flight; at least 1. */
  readonly inFlight: number;
  /** Bytes of all of them, each with all of its request. */
  readonly bytes: number;
  /** How long a copy has from the answer that it was made after, in milliseconds. */
  readonly deadlineMs: number;
}

export interface ShadowOptions {
  readonly bounds: ShadowBounds;
  readonly clock: Clock;
  readonly random: Random;
  readonly readyFor: (key: string) => readonly RuntimeLink[];
  /** Breakers of copies alone: what happens to them says nothing to live requests, nor the other way. */
  readonly breakerOf: (link: RuntimeLink, key: string) => Breaker;
  readonly observer: Pick<AttemptObserver, 'attemptEnded'> | undefined;
  /** Told how a copy ended. */
  readonly onEnded: (version: VersionTarget, arm: ArmRoute, error: SluiceError | undefined) => void;
  /** Runs a function when this turn of the event loop is over. */
  readonly defer: (fn: () => void) => void;
}

/** Why a copy was dropped: of the bounds on copies and bytes, or because the router stops. */
export const dropReasons = ['copies', 'bytes', 'stopping'] as const;
export type DropReason = (typeof dropReasons)[number];

/**
 * Copies of answered requests on their way to shadow arms. Nothing of it is on the account of those who were answered: copies
 * are made when the turn is over in which the answer left, wait in a bounded line, and are dropped beyond it. A copy is
 * sent once, where the version is ready; it takes no token of the retry budget, and has a deadline and breakers of its own.
 */
export class Shadows {
  readonly #options: ShadowOptions;
  /** From `#first` on; what is before it has left. */
  #waiting: (ShadowCopy | undefined)[] = [];
  #first = 0;
  /** Those behind it may lie in the buffer of a connection. */
  #owned = 0;
  readonly #inFlight: ShadowCopy[] = [];
  #bytes = 0;
  readonly #dropped: Record<DropReason, number> = { copies: 0, bytes: 0, stopping: 0 };
  #isDue = false;
  #isStopped = false;

  constructor(options: ShadowOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length - this.#first;
  }
  get inFlight(): number {
    return this.#inFlight.length;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get dropped(): Readonly<Record<DropReason, number>> {
    return this.#dropped;
  }

  /** Copies a request that was answered to each of these arms. */
  mirror(of: Mirrored, model: ModelRoute, arms: readonly ArmRoute[]): void {
    const { bounds, clock } = this.#options;
    if (bounds.copies === 0) return;
    const bytes = new MirroredBytes(of.message);
    const deadlineAt = clock.monotonic() + bounds.deadlineMs;
    for (const arm of arms) {
      const reason = this.#fullFor(of.message.byteLength);
      const version = targetIn(model, arm.version);
      if (reason !== undefined) this.#dropped[reason]++;
      // In quarantine nothing is sent to it.
      else if (version) this.#add(new ShadowCopy(of, bytes, arm, version, deadlineAt));
    }
  }

  /** Drops what waits, and gives up what is in flight. Nothing is told of either, but that it was dropped. */
  stop(): void {
    this.#isStopped = true;
    this.#dropped.stopping += this.waiting + this.#inFlight.length;
    for (const copy of this.#inFlight) copy.call?.cancel();
    this.#inFlight.length = this.#waiting.length = this.#first = this.#owned = this.#bytes = 0;
  }

  #fullFor(bytes: number): DropReason | undefined {
    const { bounds } = this.#options;
    if (this.#isStopped) return 'stopping';
    if (this.waiting + this.#inFlight.length >= bounds.copies) return 'copies';
    return this.#bytes + bytes > bounds.bytes ? 'bytes' : undefined;
  }

  #add(copy: ShadowCopy): void {
    this.#waiting.push(copy);
    this.#bytes += copy.size;
    this.#goOnSoon();
  }

  #goOnSoon(): void {
    if (this.#isDue || this.#isStopped) return;
    this.#isDue = true;
    this.#options.defer(() => this.#goOn());
  }

  #goOn(): void {
    this.#isDue = false;
    if (this.#isStopped) return;
    // Before they are sent, too: a link keeps a message until it is answered.
    for (; this.#owned < this.#waiting.length; this.#owned++) this.#waiting[this.#owned]!.own();
    while (this.#first < this.#waiting.length && this.#inFlight.length < this.#options.bounds.inFlight) {
      const copy = this.#waiting[this.#first]!;
      this.#waiting[this.#first++] = undefined;
      this.#send(copy);
    }
    this.#forgetLeft();
  }

  /** Takes what has left out of the line, when that is half of it. */
  #forgetLeft(): void {
    if (this.#first < 32 || this.#first * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#first);
    this.#owned -= this.#first;
    this.#first = 0;
  }

  #send(copy: ShadowCopy): void {
    const { clock } = this.#options;
    copy.sentMs = clock.monotonic();
    if (copy.sentMs >= copy.deadlineAt) {
      this.#end(copy, new SluiceError('deadline-exceeded', 'the copy waited until its deadline'), undefined);
      return;
    }
    const chosen = this.#runtimeFor(copy.version);
    if (chosen instanceof SluiceError) this.#end(copy, chosen, undefined);
    else this.#sendTo(copy, chosen.link, chosen.permit);
  }

  /** A version that is not ready is not loaded for a copy. */
  #runtimeFor({ key, model, text }: VersionTarget) {
    let left = this.#options.readyFor(key);
    if (left.length === 0) return unavailable(`${model} version ${text} is ready on no runtime`);
    for (;;) {
      const link = chooseRuntime(left, this.#options.random);
      if (!link) return unavailable(`copies for ${model} version ${text} keep failing on every runtime that has it`);
      const permit = this.#options.breakerOf(link, key).begin();
      if (permit) return { link, permit };
      left = left.filter((each) => each !== link);
    }
  }

  #sendTo(copy: ShadowCopy, link: RuntimeLink, permit: Permit): void {
    const { clock } = this.#options;
    const { message, metadata, version } = copy;
    const deadlineMs = clock.now() + (copy.deadlineAt - copy.sentMs);
    const options = { deadlineMs, suffix: version.override, ...(metadata && { metadata }) };
    copy.runtimeId = link.runtimeId;
    copy.place = this.#inFlight.push(copy) - 1;
    try {
      copy.call = link.send(inferPath, message, options, (outcome) => this.#received(copy, permit, outcome));
    } catch (error) {
      permit.release();
      this.#landed(copy, SluiceError.from(error), undefined);
    }
  }

  #received(copy: ShadowCopy, permit: Permit, outcome: RawOutcome): void {
    const { error, messageArrived } = outcome;
    if (error) settle(permit, { origin: error.origin, error, messageArrived }, false, false);
    else permit.succeed();
    if (this.#isStopped) return;
    this.#landed(copy, error, outcome);
    this.#goOnSoon();
  }

  /** It is in flight no more. */
  #landed(copy: ShadowCopy, error: SluiceError | undefined, outcome: RawOutcome | undefined): void {
    const last = this.#inFlight.pop()!;
    if (last !== copy) {
      this.#inFlight[copy.place] = last;
      last.place = copy.place;
    }
    this.#end(copy, error, outcome);
  }

  #end(copy: ShadowCopy, error: SluiceError | undefined, outcome: RawOutcome | undefined): void {
    const { observer, clock, onEnded } = this.#options;
    this.#bytes -= copy.size;
    onEnded(copy.version, copy.assigned, error);
    if (observer === undefined) return;
    const answer = error === undefined ? (outcome!.pieces ?? ([outcome!.message!] as const)) : undefined;
    tellEnd(observer, copy, clock.monotonic(), false, error, answer, outcome);
  }
}
