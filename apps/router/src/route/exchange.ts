import type { Clock } from '@sluice/domain/clock';
import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import type { RouteReason } from '@sluice/evidence/record';
import { responseParameter } from '@sluice/inference/rewrite';
import type { RawCall } from '@sluice/rpc/handlers';
import type { Pieces, RawOutcome } from '@sluice/rpc/raw-client';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import { endOf, forgetEnd, tellEnd } from './attempt-observer.ts';
import type { AttemptObserver, EvidenceRoom, ObservedAttempt } from './attempt-observer.ts';
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
  /** Whether answers of a model have to wait for their evidence. */
  readonly mustStore: (model: string) => boolean;
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

/** The arm of a request and why it is that one, as far as it has one. */
type Assigned = Omit<ArmChoice, 'arm'> & { readonly arm: ArmRoute | undefined };

/** Of a request that named its version. */
const named: Assigned = { arm: undefined, reason: 'named', rule: '' };

/**
 * A request that was let in, until it is answered or nobody waits for it; the one object of its life here. Whoever sends it
 * says so, and what became of it, and it tells the observer, the counts and the shadows. It has no more fields than it needs:
 * there is one for every request.
 */
export class Exchange implements ForwardRequest, ObservedAttempt {
  readonly message: Buffer;
  readonly predictionId: string;
  readonly receivedMs: number;
  readonly requestId: string;
  readonly said: CallMetadata;
  readonly metadata: Readonly<Record<'traceparent', string>> | undefined;
  version: VersionTarget = noVersion;
  served: ArmRoute | undefined;
  attempt = 0;
  sentMs = 0;
  fallback: SluiceError | undefined;
  readonly #options: ExchangeOptions;
  readonly #call: RawCall;
  #chosen = named;
  #route: Route | undefined;
  #sending: ForwardedCall | undefined;
  /** Where an attempt is under way. */
  #link: RuntimeLink | undefined;
  #isOpen = true;
  /** Where its evidence goes before it is answered; undefined when its answer does not wait for that. */
  #room: EvidenceRoom | undefined;
  /** It has its answer, which waits. */
  #isStoring = false;

  /** Reads what is left of the call: its deadline and its trace. @param receivedMs of `Clock.monotonic()` */
  constructor(
    options: ExchangeOptions,
    call: RawCall,
    message: Buffer,
    predictionId: string,
    receivedMs: number,
    requestId: string,
    said: CallMetadata,
  ) {
    this.#options = options;
    this.#call = call;
    this.message = message;
    this.predictionId = predictionId;
    this.receivedMs = receivedMs;
    this.requestId = requestId;
    this.said = said;
    const traceparent = call.metadata('traceparent');
    this.metadata = traceparent === undefined ? undefined : { traceparent };
  }

  get deadlineMs(): number {
    return this.#call.deadlineMs;
  }
  get traceparent(): string | undefined {
    return this.metadata?.traceparent;
  }
  get assigned(): ArmRoute | undefined {
    return this.#chosen.arm;
  }
  get reason(): RouteReason {
    return this.#chosen.reason;
  }
  get rule(): string {
    return this.#chosen.rule;
  }
  get runtimeId(): string {
    return this.#link?.runtimeId ?? '';
  }

  /**
   * Takes room for its evidence where its answer is to wait for that.
   *
   * @param version that it would go to; undefined where that is not known yet
   * @returns false when there is none: it is refused then
   */
  hasRoom(model: string, version: VersionTarget | undefined): boolean {
    const { observer, mustStore } = this.#options;
    try {
      if (observer !== undefined) this.#room = observer.reserve(model, this.predictionId, this.message.length);
      else if (mustStore(model)) throw keepsNothing(model);
      return true;
    } catch (error) {
      if (version !== undefined) this.version = version;
      this.done(SluiceError.from(error), undefined, undefined);
      return false;
    }
  }

  /** Sends a request of no sequence on its way. @param versionText `model_version` as its caller wrote it */
  begin(route: Route, versionText: string): void {
    const { version, choice, quarantine } = route;
    this.#route = route;
    this.version = version;
    if (choice !== undefined) this.isChosen(choice);
    if (!this.hasRoom(version.model, version)) return;
    if (quarantine !== undefined && !this.#fallsBackAtOnce(quarantine)) {
      this.done(quarantine, undefined, undefined);
      return;
    }
    // A request that names this very number needs no override.
    const suffix = versionText === this.version.text ? undefined : this.version.override;
    this.#sending = this.#options.forwarder.send(this.version, suffix, this);
  }

  /** Its arm is known, and why it is that one. */
  isChosen(choice: ArmChoice): void {
    this.#chosen = choice;
    this.served = choice.arm;
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

  sending(link: RuntimeLink): void {
    this.attempt++;
    this.#link = link;
    if (this.#options.observer !== undefined) this.sentMs = this.#options.clock.monotonic();
  }

  retrying(error: SluiceError, outcome: RawOutcome): void {
    const { observer, clock } = this.#options;
    if (observer !== undefined) this.#tell(observer, clock.monotonic(), false, error, undefined, outcome);
    this.#link = undefined;
  }

  fallingBack(error: SluiceError, outcome: RawOutcome | undefined): void {
    const { observer, clock, onFallback } = this.#options;
    if (observer !== undefined) this.#tell(observer, clock.monotonic(), false, error, undefined, outcome);
    this.#link = undefined;
    onFallback(this.version, this.assigned!, error);
    this.fallback = error;
    this.served = fallbackOf(this.#route!);
    this.version = targetIn(this.#route!.model, this.served!.version)!;
  }

  done(error: SluiceError | undefined, answer: Pieces | undefined, outcome: RawOutcome | undefined): void {
    if (!this.#isOpen || this.#isStoring) return;
    if (this.#room !== undefined && !error) {
      this.#store(this.#room, answer!, outcome);
      return;
    }
    const endedMs = this.#leave(error);
    if (error) this.#refuse(error);
    else this.#respond(answer!);
    const { observer } = this.#options;
    if (observer !== undefined) this.#tell(observer, endedMs, true, error, answer, outcome);
    if (!error) this.#mirror();
  }

  /** Its caller does not wait any more. */
  cancel(reason: SluiceError): void {
    this.#sending?.cancel(reason.kind);
    if (!this.#isOpen) return;
    const endedMs = this.#leave(reason);
    const { observer } = this.#options;
    if (observer !== undefined && !this.#isStoring) this.#tell(observer, endedMs, false, reason, undefined, undefined);
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
    this.served = arm;
    if (!isStart) this.#chosen = { arm, reason: 'sequence', rule: '' };
  }

  /** Its answer waits until its evidence is on disk. Without that it has none. */
  #store(room: EvidenceRoom, answer: Pieces, outcome: RawOutcome | undefined): void {
    this.#isStoring = true;
    const end = endOf(this.#options.clock.monotonic(), true, undefined, answer, outcome);
    room.store(this, end, (failure) => {
      // Its caller may have left meanwhile.
      if (!this.#isOpen) return;
      const error = failure && notStored(failure);
      this.#leave(error);
      if (error) this.#refuse(error);
      else {
        this.#respond(answer);
        this.#mirror();
      }
    });
    forgetEnd();
  }

  #respond(answer: Pieces): void {
    this.#call.respond(...answer, stamp(this.predictionId), this.served?.parameter ?? noArm);
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
    if (this.#room !== undefined && !this.#isStoring) this.#room.release();
    inFlight.leave(this.message.length);
    const endedMs = clock.monotonic();
    const arm = this.fallback === undefined ? this.#chosen.arm : undefined;
    if (this.version !== noVersion) onAnswer(this.version, arm, error, endedMs - this.receivedMs);
    return endedMs;
  }

  /** An attempt has ended. What went nowhere is one, too, where nothing else is that ends now. */
  #tell(
    observer: AttemptObserver,
    endedMs: number,
    answered: boolean,
    error: SluiceError | undefined,
    answer: Pieces | undefined,
    outcome: RawOutcome | undefined,
  ): void {
    if (this.version === noVersion) return;
    if (this.#link === undefined) {
      this.attempt++;
      this.sentMs = endedMs;
    }
    tellEnd(observer, this, endedMs, answered, error, answer, outcome);
  }

  /** Copies go to the shadow arms of its release, in whatever way its arm was chosen. */
  #mirror(): void {
    const route = this.#route;
    if (route?.release === undefined || route.release.shadows.length === 0) return;
    this.#options.shadows.mirror(this, route.model, route.release.shadows);
  }
}

function keepsNothing(model: string): SluiceError {
  return failedPrecondition(
    `${model}: its answers wait until their evidence is stored, and this router keeps none: set SLUICE_FEEDBACK, or run \`sluice model set ${model} --durability best-effort\``,
  );
}

function notStored(cause: SluiceError): SluiceError {
  return new SluiceError(
    cause.kind,
    `the model has answered, and its evidence, which has to be stored first, was not: ${cause.message}`,
    { cause },
  );
}

function stamp(predictionId: string): Buffer {
  return responseParameter('prediction_id', { kind: 'string', value: predictionId });
}
