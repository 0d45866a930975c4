import type { Clock } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';
import type { RouteReason } from '@sluice/evidence/record';
import { responseParameter } from '@sluice/inference/rewrite';
import type { RawCall } from '@sluice/rpc/handlers';
import type { Pieces, RawOutcome } from '@sluice/rpc/raw-client';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import type { AttemptObserver, ObservedAttempt } from './attempt-observer.ts';
import type { CallMetadata } from './call-metadata.ts';
import type { ForwardedCall, Forwarder, ForwardRequest } from './forward.ts';
import type { InFlight } from './in-flight.ts';
import type { ArmChoice, ArmRoute } from './release-route.ts';
import { fallbackOf, targetIn } from './resolve.ts';
import type { Route } from './resolve.ts';
import type { Place } from './sequences/place.ts';
import type { Shadows } from './shadows.ts';
import { targetOf } from './table.ts';
import type { VersionTarget } from './table.ts';

/** What follows an answer whose request named its version: it went through no arm. */
const noArm = responseParameter('sluice_arm', { kind: 'string', value: '' });

/** Of a request of a sequence that has no place yet. */
const noVersion = targetOf('', 0);

export interface ExchangeOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly forwarder: Forwarder;
  readonly shadows: Shadows;
  readonly inFlight: InFlight;
  /** Told of every attempt, for evidence; undefined when nobody wants to know. */
  readonly observer: AttemptObserver | undefined;
  /** Told of inferences that ended in a defect of a runtime or ours, for the log. */
  readonly onDefect: (predictionId: string, version: VersionTarget, error: SluiceError) => void;
  /**
   * Told how an inference of a known version ended, and after how many milliseconds.
   *
   * @param arm the one that it was assigned to, which has served it; undefined where there is none, or another one served
   */
  readonly onAnswer: (
    version: VersionTarget,
    arm: ArmRoute | undefined,
    error: SluiceError | undefined,
    tookMs: number,
  ) => void;
  /** Told of a candidate that could not answer, in whose place the primary does. */
  readonly onFallback: (version: VersionTarget, arm: ArmRoute, error: SluiceError) => void;
}

/** What a request is before it is known where it goes. */
export interface ExchangeFacts {
  readonly message: Buffer;
  readonly predictionId: string;
  readonly receivedMs: number;
  readonly requestId: string;
  readonly said: CallMetadata;
}

/**
 * A request that was let in, until it is answered or nobody waits for it; the one object of its life here. Whoever sends it
 * says so, and what became of it, and it tells the observer, the counts and the shadows.
 */
export class Exchange implements ForwardRequest, ObservedAttempt {
  readonly predictionId: string;
  readonly message: Buffer;
  readonly receivedMs: number;
  readonly requestId: string;
  readonly said: CallMetadata;
  readonly traceparent: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly deadlineMs: number;
  version: VersionTarget = noVersion;
  assigned: ArmRoute | undefined;
  served: ArmRoute | undefined;
  reason: RouteReason = 'named';
  rule = '';
  attempt = 0;
  runtimeId = '';
  sentMs = 0;
  endedMs = 0;
  error: SluiceError | undefined;
  fallback: SluiceError | undefined;
  answered = false;
  answer: Pieces | undefined;
  outcome: RawOutcome | undefined;
  readonly #options: ExchangeOptions;
  readonly #call: RawCall;
  #route: Route | undefined;
  #sending: ForwardedCall | undefined;
  /** An attempt is under way. */
  #isSent = false;
  #isOpen = true;

  /** Reads what is left of the call: its deadline and its trace. */
  constructor(options: ExchangeOptions, call: RawCall, facts: ExchangeFacts) {
    this.#options = options;
    this.#call = call;
    this.message = facts.message;
    this.predictionId = facts.predictionId;
    this.receivedMs = facts.receivedMs;
    this.requestId = facts.requestId;
    this.said = facts.said;
    this.deadlineMs = call.deadlineMs;
    this.traceparent = call.metadata('traceparent');
    this.metadata = this.traceparent === undefined ? undefined : { traceparent: this.traceparent };
  }

  /** Sends a request of no sequence on its way. @param versionText `model_version` as its caller wrote it */
  begin(route: Route, versionText: string): void {
    const { version, choice, quarantine } = route;
    this.#route = route;
    this.version = version;
    if (choice !== undefined) this.isChosen(choice);
    if (quarantine !== undefined && !this.#fallsBackAtOnce(quarantine)) {
      this.done(quarantine, undefined, undefined);
      return;
    }
    // A request that names this very number needs no override.
    const suffix = versionText === this.version.text ? undefined : this.version.override;
    this.#sending = this.#options.forwarder.send(this.version, suffix, this);
  }

  /** Its arm is known, and why it is that one. */
  isChosen({ arm, reason, rule }: ArmChoice): void {
    this.assigned = this.served = arm;
    this.reason = reason;
    this.rule = rule;
  }

  /** A request of a sequence has its place now, and is sent there. @param isStart it was routed there */
  sendingInSequence(link: RuntimeLink, place: Place, isStart: boolean): void {
    this.#goesTo(place, isStart);
    this.sending(link);
  }

  /** A request of a sequence has ended. @param place undefined when it never got one */
  endInSequence(
    error: SluiceError | undefined,
    answer: Pieces | undefined,
    outcome: RawOutcome | undefined,
    place: Place | undefined,
    isStart: boolean,
  ): void {
    if (place) this.#goesTo(place, isStart);
    this.done(error, answer, outcome);
  }

  get instead(): VersionTarget | undefined {
    if (this.#route === undefined || this.fallback !== undefined) return undefined;
    const arm = fallbackOf(this.#route);
    return arm && targetIn(this.#route.model, arm.version);
  }

  sending({ runtimeId }: RuntimeLink): void {
    this.attempt++;
    this.#isSent = true;
    this.runtimeId = runtimeId;
    if (this.#options.observer !== undefined) this.sentMs = this.#options.clock.monotonic();
  }

  retrying(error: SluiceError, outcome: RawOutcome): void {
    if (this.#options.observer !== undefined) this.#tell(error, undefined, outcome, this.#options.clock.monotonic());
    this.#isSent = false;
  }

  fallingBack(error: SluiceError, outcome: RawOutcome | undefined): void {
    this.#endAttempt(error, undefined, outcome, this.#options.clock.monotonic());
    const { assigned } = this;
    if (assigned) this.#options.onFallback(this.version, assigned, error);
    this.fallback = error;
    this.served = fallbackOf(this.#route!);
    this.version = targetIn(this.#route!.model, this.served!.version)!;
  }

  done(error: SluiceError | undefined, answer: Pieces | undefined, outcome: RawOutcome | undefined): void {
    if (!this.#isOpen) return;
    const endedMs = this.#leave(error);
    if (error) this.#refuse(error);
    else this.#call.respond(...answer!, stamp(this.predictionId), this.served?.parameter ?? noArm);
    this.answered = true;
    this.#endAttempt(error, answer, outcome, endedMs);
    if (!error) this.#mirror();
  }

  /** Its caller does not wait any more. */
  cancel(reason: SluiceError): void {
    this.#sending?.cancel(reason.kind);
    if (this.#isOpen) this.#endAttempt(reason, undefined, undefined, this.#leave(reason));
  }

  /** So with a request of a sequence, which was given up. @param place undefined when it never got one */
  cancelInSequence(reason: SluiceError, place: Place | undefined, isStart: boolean): void {
    if (this.#isOpen && place) this.#goesTo(place, isStart);
    this.cancel(reason);
  }

  /** @returns whether the primary takes what is assigned to a version in quarantine */
  #fallsBackAtOnce(quarantine: SluiceError): boolean {
    if (this.instead === undefined) return false;
    this.fallingBack(quarantine, undefined);
    return true;
  }

  #goesTo({ version, arm }: Place, isStart: boolean): void {
    this.version = version;
    this.assigned = this.served = arm;
    if (!isStart) this.reason = 'sequence';
  }

  #refuse(error: SluiceError): void {
    const { version } = this;
    const isDefect = error.kind === 'internal' || error.kind === 'data-loss';
    if (version === noVersion) this.#call.fail(error);
    else {
      if (isDefect) this.#options.onDefect(this.predictionId, version, error);
      this.#call.fail(error, version.key);
    }
  }

  /** Counts it out. @returns when that was */
  #leave(error: SluiceError | undefined): number {
    const { inFlight, clock, onAnswer } = this.#options;
    this.#isOpen = false;
    inFlight.leave(this.message.length);
    const endedMs = clock.monotonic();
    const arm = this.fallback === undefined ? this.assigned : undefined;
    if (this.version !== noVersion) onAnswer(this.version, arm, error, endedMs - this.receivedMs);
    return endedMs;
  }

  /** What went nowhere is an attempt, too, where nothing else is that ends now. */
  #endAttempt(
    error: SluiceError | undefined,
    answer: Pieces | undefined,
    outcome: RawOutcome | undefined,
    endedMs: number,
  ): void {
    if (this.#options.observer === undefined) return;
    if (!this.#isSent) {
      this.attempt++;
      this.runtimeId = '';
      this.sentMs = endedMs;
    }
    this.#tell(error, answer, outcome, endedMs);
    this.#isSent = false;
  }

  #tell(
    error: SluiceError | undefined,
    answer: Pieces | undefined,
    outcome: RawOutcome | undefined,
    endedMs: number,
  ): void {
    if (this.version === noVersion) return;
    this.error = error;
    this.answer = answer;
    this.outcome = outcome;
    this.endedMs = endedMs;
    this.#options.observer!.attemptEnded(this);
  }

  /** Copies go to the shadow arms of its release, in whatever way its arm was chosen. */
  #mirror(): void {
    const route = this.#route;
    if (route?.release === undefined || route.release.shadows.length === 0) return;
    this.#options.shadows.mirror(this, route.model, route.release.shadows);
  }
}

function stamp(predictionId: string): Buffer {
  return responseParameter('prediction_id', { kind: 'string', value: predictionId });
}
