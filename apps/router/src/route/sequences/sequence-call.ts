import type { Clock } from '@sluice/domain/clock';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { SequenceId, SequenceMark } from '@sluice/inference/sequence';
import type { Permit } from '@sluice/resilience/breaker';
import type { Pieces, RawClientCall, RawOutcome } from '@sluice/rpc/raw-client';
import type { RuntimeLink } from '../../runtimes/runtime-link.ts';
import { Attempts } from '../attempts.ts';
import type { AttemptFailure } from '../attempts.ts';
import { candidatesFor, nextAfter, nowhere } from '../candidates.ts';
import type { Candidates } from '../candidates.ts';
import { breakerRetryAfterMs, inferPath, settle } from '../forward.ts';
import type { ForwardedCall, SendingOptions } from '../forward.ts';
import type { Route } from '../resolve.ts';
import { targetOf } from '../table.ts';
import type { VersionTarget } from '../table.ts';
import { goneWith, newPlace, sequenceLost } from './place.ts';
import type { Place } from './place.ts';
import { byRendezvous } from '../../runtimes/rendezvous.ts';

/** One request of a sequence. */
export interface SequenceRequest {
  readonly mark: SequenceMark;
  /** Where the routes send it, when it is a start; others go where theirs went. */
  readonly route: Pick<Route, 'version' | 'choice'> | undefined;
  /** A start that was refused before its turn: it is sent nowhere, and answered already. */
  readonly isRefused?: true;
  /** `model_version` as its caller wrote it. */
  readonly versionText: string;
  /** The version that it names by number; 0 when it names none, or an alias. */
  readonly number: number;
  /** The message as it came. */
  readonly message: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** It is about to be sent to the runtime of its place. */
  readonly sending: (link: RuntimeLink, place: Place) => void;
  /** It did not leave, or was refused where its version was to be loaded, and goes to another runtime. */
  readonly retrying: (error: SluiceError, outcome: RawOutcome) => void;
  /**
   * Called once, unless the call is cancelled first.
   *
   * @param outcome of the last attempt, where there was one
   * @param place undefined when it never got one
   */
  readonly done: (
    error: SluiceError | undefined,
    answer: Pieces | undefined,
    outcome: RawOutcome | undefined,
    place: Place | undefined,
  ) => void;
}

/** Takes the turn of a start that was refused. */
export function refusedStart(id: SequenceId): SequenceRequest {
  return {
    mark: { id, start: true, end: false },
    ...{ route: undefined, isRefused: true, versionText: '', number: 0, message: new Uint8Array() },
    ...{ deadlineMs: 0, metadata: undefined },
    ...{ sending: () => undefined, retrying: () => undefined, done: () => undefined },
  };
}

export interface SequenceSendOptions extends SendingOptions {
  /** Why nothing is sent to a version any more, where it ended runtimes; undefined while it is not in quarantine. */
  readonly quarantineOf: (version: VersionTarget) => SluiceError | undefined;
  readonly clock: Clock;
}

/** The sequence that a call is of. */
export interface CallOwner {
  readonly key: string;
  /** For messages. */
  readonly name: string;
  /** Whether requests that come now go there. */
  isAt(place: Place): boolean;
  /** The sequence has ended there, or never began. */
  forget(place: Place): void;
  /** A call has ended, or was sent again. */
  changed(): void;
}

/** How long a caller should wait for a runtime that may be back at once, in milliseconds. */
const reconnectMs = 100;

/**
 * A request of a sequence, from its turn to its one answer. Only a start goes to a second runtime, when it never left or
 * was refused where its version was to be loaded for it, and what was sent behind it goes after it. What others ended with is
 * their answer, and where their runtime is gone the sequence is.
 */
export class SequenceCall implements ForwardedCall {
  readonly request: SequenceRequest;
  /** Where it was sent, or is to be. */
  place: Place | undefined;
  /** Its sequence was searched for on its account, or with it waiting. */
  hasSearched = false;
  isEnded = false;
  readonly #options: SequenceSendOptions;
  readonly #owner: CallOwner;
  #attempts: Attempts | undefined;
  readonly #tried: RuntimeLink[] = [];
  #link: RuntimeLink | undefined;
  #permit: Permit | undefined;
  #call: RawClientCall | undefined;
  #isLate = false;

  constructor(options: SequenceSendOptions, owner: CallOwner, request: SequenceRequest) {
    this.#options = options;
    this.#owner = owner;
    this.request = request;
  }

  /** It is on its way to a runtime where its sequence is not: it has not left, or will not be taken there. */
  get isAstray(): boolean {
    return !this.isEnded && this.#link !== this.place?.link;
  }

  cancel(why: SluiceError['kind']): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#isLate = why === 'deadline-exceeded';
    this.#call?.cancel();
    this.#owner.changed();
  }

  /**
   * Begins its sequence on the owner of its hash, or the next that can have it.
   *
   * @param old where the sequence of that id was
   * @returns the new place
   */
  begin(old: Place | undefined): Place {
    const { route } = this.request;
    // It was refused, or given up while it waited for its turn: what it was to replace is over all the same.
    if (!route || this.isEnded) return this.#withoutStart(route ? 'was not sent in time' : 'was refused');
    const { version, choice } = route;
    const place = newPlace(version, { arm: choice?.arm });
    this.place = place;
    this.#attempts = new Attempts(version, this.#options.budget, false);
    const candidates = candidatesFor(this.#options, version);
    if (candidates.links.length === 0) this.#notBegun(place, nowhere(this.#options, version), 'could not be sent');
    else this.#sendStart(place, candidates, undefined);
    // A runtime that had it ends it by itself, whatever becomes of the start.
    place.replacesOther = old !== undefined && (old.replacesOther || old.link !== place.link);
    return place;
  }

  /** Goes where its sequence is. */
  follow(place: Place): void {
    this.place = place;
    const link = place.link!;
    const quarantine = this.#options.quarantineOf(place.version);
    if (quarantine) {
      this.#end(quarantine, undefined);
      return;
    }
    const permit = this.#options.breakerOf(link, place.version.key).begin();
    if (permit) this.#sendTo(link, permit, place);
    else this.#end(this.#broken('its runtime', undefined), undefined);
  }

  fail(error: SluiceError): void {
    this.#end(error, undefined);
  }

  get #what(): string {
    const { model, text } = this.place!.version;
    return `${model} version ${text}`;
  }

  #withoutStart(what: string): Place {
    const why = `the sequence_start of ${this.#owner.name} ${what}`;
    const lost = { why, atMs: this.#options.clock.monotonic() };
    // Of no version: none was found for it.
    const place = newPlace(targetOf('', 0), { lost });
    this.#end(sequenceLost(why), undefined);
    return place;
  }

  /** Where its version is to be loaded, the order is the same for all sequences, so that one runtime loads it. */
  #sendStart(place: Place, { links, waits }: Candidates, cause: SluiceError | undefined): void {
    place.isOnDemand = waits;
    for (const link of waits ? links : byRendezvous(links, this.#owner.key)) {
      const permit = this.#options.breakerOf(link, place.version.key).begin();
      if (!permit) continue;
      place.link = link;
      this.#attempts!.started();
      this.#sendTo(link, permit, place);
      return;
    }
    this.#notBegun(place, this.#broken('every runtime that has it', cause), 'could not be sent');
  }

  #sendTo(link: RuntimeLink, permit: Permit, place: Place): void {
    const { version } = place;
    const { message, versionText, deadlineMs, metadata } = this.request;
    this.#link = link;
    this.#permit = permit;
    this.request.sending(link, place);
    const suffix = versionText === version.text ? undefined : version.override;
    try {
      const options = { deadlineMs, ...(metadata && { metadata }), ...(suffix && { suffix }) };
      this.#call = link.send(inferPath, message, options, (outcome) => this.#received(outcome));
    } catch (error) {
      // Nothing was sent: the link closed in this very moment, or refused the metadata.
      permit.release();
      if (this.#attempts) this.#notBegun(place, SluiceError.from(error), 'could not be sent');
      else this.#end(SluiceError.from(error), undefined);
      return;
    }
    this.#options.budget.sent(link.inFlight);
  }

  #received(outcome: RawOutcome): void {
    const permit = this.#permit!;
    const place = this.place!;
    if (!outcome.error) {
      permit.succeed();
      place.isBegun = true;
      if (this.request.mark.end) this.#owner.forget(place);
      this.#end(undefined, outcome.pieces ?? [outcome.message!], outcome);
      return;
    }
    const { origin } = outcome.error;
    const failure: AttemptFailure = { origin, error: outcome.error, messageArrived: outcome.messageArrived };
    settle(permit, failure, this.#isLate, place.isOnDemand && !place.isBegun);
    if (this.isEnded) return;
    if (this.#attempts && (origin === 'unsent' || (origin === 'answered' && place.isOnDemand))) {
      this.#sendStartAgain(this.#attempts, place, failure, outcome);
      return;
    }
    if (origin === 'unsent' && this.#followAgain(place, failure, outcome)) return;
    this.#options.onFailedAttempt(place.version, failure, false);
    this.#end(this.#errorOf(place, failure), undefined, outcome);
  }

  /** What came behind a start that moved before it had left goes after it. */
  #followAgain(place: Place, failure: AttemptFailure, outcome: RawOutcome): boolean {
    if (place.link === this.#link || place.lost !== undefined) return false;
    this.#options.onFailedAttempt(place.version, failure, true);
    this.request.retrying(failure.error, outcome);
    this.follow(place);
    this.#owner.changed();
    return true;
  }

  /** A start goes to another runtime that never left, or was refused where its version was to be loaded for it. */
  #sendStartAgain(attempts: Attempts, place: Place, failure: AttemptFailure, outcome: RawOutcome): void {
    const { version } = place;
    this.#tried.push(this.#link!);
    const next = this.#owner.isAt(place)
      ? nextAfter(this.#options, attempts, { version, failure, tried: this.#tried, waits: place.isOnDemand })
      : unavailable(`${this.#owner.name} was begun anew before this could be sent`);
    const isOver = next instanceof SluiceError;
    this.#options.onFailedAttempt(version, failure, !isOver);
    if (isOver) {
      this.#notBegun(place, next, failure.origin === 'unsent' ? 'could not be sent' : 'failed', outcome);
      return;
    }
    this.request.retrying(failure.error, outcome);
    place.hasMoved = true;
    // The runtime that it did not get to may have one.
    place.replacesOther = true;
    this.#sendStart(place, next, failure.error);
  }

  /** Its start was taken by nobody: what comes behind it has no sequence to go on with. */
  #notBegun(place: Place, error: SluiceError, what: string, outcome?: RawOutcome): void {
    this.#leaveNone(place, what);
    this.#end(error, undefined, outcome);
  }

  /** Nobody is asked for what is lost without a link. */
  #leaveNone(place: Place, what: string): void {
    place.link = undefined;
    this.#lose(place, `the sequence_start of ${this.#owner.name} ${what}`);
  }

  #errorOf(place: Place, { origin, error }: AttemptFailure): SluiceError {
    switch (origin) {
      case 'local':
        return error;
      case 'lost':
        return this.#lose(place, goneWith(this.#owner.name));
      case 'unsent':
        return this.#unreachable(place, error);
      case 'answered':
        return this.#answered(place, error);
    }
  }

  #answered(place: Place, error: SluiceError): SluiceError {
    // A search would find what the start was to replace.
    if (this.request.mark.start && place.replacesOther) this.#leaveNone(place, 'failed');
    if (error.kind !== 'failed-precondition' && error.kind !== 'not-found') return error;
    // It lives there no more: it idled out, or another process has the address by now.
    if (place.link) this.#owner.forget(place);
    if (error.kind === 'failed-precondition') return error;
    if (this.request.mark.start) return unavailable(`the runtime does not have ${this.#what} any more; try again`);
    const gone = `${this.#owner.name} was on version ${place.version.text}, which its runtime does not have any more`;
    return sequenceLost(gone);
  }

  /** A link that is being made again may find its runtime and all that lives there; a runtime that stops takes it along. */
  #unreachable(place: Place, cause: SluiceError): SluiceError {
    if (place.lost) return sequenceLost(place.lost.why);
    const { state, isLost } = this.#link!;
    if (state === 'draining') return this.#lose(place, `the runtime of ${this.#owner.name} is stopping`);
    if (state === 'closed' || isLost) return this.#lose(place, goneWith(this.#owner.name));
    const retryAfterMs = reconnectMs;
    const text = `the runtime of ${this.#owner.name} cannot be reached now; the request was not sent, try again`;
    return unavailable(text, { retryAfterMs, cause });
  }

  #lose(place: Place, why: string): SluiceError {
    place.lost ??= { why, atMs: this.#options.clock.monotonic() };
    return sequenceLost(place.lost.why);
  }

  #broken(where: string, cause: SluiceError | undefined): SluiceError {
    const retryAfterMs = breakerRetryAfterMs;
    return unavailable(`${this.#what} keeps failing on ${where}; try again later`, { retryAfterMs, cause });
  }

  #end(error: SluiceError | undefined, answer: Pieces | undefined, outcome?: RawOutcome): void {
    if (this.isEnded) return;
    this.isEnded = true;
    try {
      this.request.done(error, answer, outcome, this.place);
    } finally {
      this.#owner.changed();
    }
  }
}
