import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { SequenceId } from '@sluice/inference/sequence';
import type { VersionTarget } from '../table.ts';
import { goneWith, nameOf, newPlace, sequenceLost } from './place.ts';
import type { Place } from './place.ts';
import type { Found, SequenceQuestion } from './search.ts';
import { refusedStart, SequenceCall } from './sequence-call.ts';
import type { CallOwner, SequenceRequest, SequenceSendOptions } from './sequence-call.ts';
import type { Kept } from './sequence-table.ts';

export interface SequenceOptions extends SequenceSendOptions {
  /** Asks the runtimes, once. @throws SluiceError not-found for a model that the routes do not have */
  readonly find: (question: SequenceQuestion, key: string) => Promise<Found>;
  readonly destination: (model: string, number: number) => VersionTarget;
  /** Longest message that a link keeps in order with others, in bytes, as it comes from the caller. */
  readonly orderedBytes: number;
  /** Told when nothing of it is under way any more. */
  readonly onRest: (sequence: Sequence) => void;
}

/**
 * How long a sequence that was lost is not looked for where it was, in milliseconds: longer than requests may be on their
 * way that were sent before their caller knew.
 */
export const lostMs = 60_000;

/** How long to wait for a runtime that could not be asked, in milliseconds. */
const askAgainMs = 250;

/**
 * The requests that name one sequence, in their order: each is sent after those before it, without waiting for their
 * answers, whose order is their stream's. Starts go to where they are to begin, all others to where the last start before
 * them went; one that comes without a start that this router knows waits for a search, and those behind it wait with it.
 */
export class Sequence implements Kept, CallOwner {
  readonly key: string;
  readonly name: string;
  readonly #model: string;
  readonly #id: SequenceId;
  readonly #options: SequenceOptions;
  #place: Place | undefined;
  /** From the first that is not answered; `#begun` of them were sent, or gave up. */
  readonly #calls: SequenceCall[] = [];
  #begun = 0;
  /** The last large one that left, or start that waits for its version to be loaded; the others wait for its end. */
  #alone: SequenceCall | undefined;
  #isSearching = false;
  #isPumping = false;

  constructor(options: SequenceOptions, key: string, model: string, id: SequenceId) {
    this.#options = options;
    this.key = key;
    this.name = nameOf(model, id);
    this.#model = model;
    this.#id = id;
  }

  get isWorthKeeping(): boolean {
    return this.#place !== undefined && (this.#place.isBegun || this.#place.lost !== undefined);
  }

  /** Whether this router knows where it lives. */
  get isKnown(): boolean {
    const link = this.#place?.link;
    return link !== undefined && this.#place!.lost === undefined && link.state !== 'closed' && !link.isLost;
  }

  send(request: SequenceRequest): SequenceCall {
    const call = new SequenceCall(this.#options, this, request);
    this.#calls.push(call);
    this.#pump();
    return call;
  }

  /**
   * A start was refused before it was known where it would go. It takes its turn: what came before it goes on, and what
   * comes behind it has no sequence.
   */
  refuse(): void {
    // One turn is enough for several in a row, so that those that are let in bound the others.
    if (this.#calls.length > this.#begun && this.#calls.at(-1)?.request.isRefused === true) return;
    this.send(refusedStart(this.#id));
  }

  isAt(place: Place): boolean {
    return this.#place === place;
  }

  forget(place: Place): void {
    if (this.#place === place) this.#place = undefined;
  }

  changed(): void {
    this.#pump();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#sendNext() || this.#dropFirst());
    } finally {
      this.#isPumping = false;
    }
    if (this.#calls.length === 0 && !this.#isSearching) this.#options.onRest(this);
  }

  #dropFirst(): boolean {
    const first = this.#calls[0];
    if (first?.isEnded !== true) return false;
    // A start that was given up before its turn still has it: what it was to replace is over.
    if (this.#begun === 0 && first.request.mark.start) return false;
    this.#calls.shift();
    // Its message is not to stay for as long as the sequence is known.
    if (first === this.#alone) this.#alone = undefined;
    if (this.#begun > 0) this.#begun--;
    return true;
  }

  /** @returns whether there was one whose turn it is */
  #sendNext(): boolean {
    const call = this.#calls[this.#begun];
    if (call === undefined || this.#isSearching) return false;
    if (!call.isEnded || call.request.mark.start) {
      if (!this.#mayLeave(call)) return false;
      if (call.request.mark.start) this.#place = call.begin(this.#place);
      else if (!this.#sendOn(call)) return false;
      if (this.#isLarge(call) || (call.request.mark.start && this.#place?.isOnDemand === true)) this.#alone = call;
    }
    this.#begun++;
    return true;
  }

  /**
   * Large messages go in parts, between others of the link: nothing of the sequence is on its way beside one. Nothing goes behind
   * a start that its runtime may have no room for, since it would not follow when that goes to the next.
   */
  #mayLeave(call: SequenceCall): boolean {
    if (this.#alone?.isEnded === false) return false;
    // What was sent behind a start that moved comes back and follows it.
    if (this.#place?.hasMoved === true && this.#calls.some(({ isAstray }) => isAstray)) return false;
    return !this.#isLarge(call) || this.#calls.slice(0, this.#begun).every(({ isEnded }) => isEnded);
  }

  #isLarge({ request }: SequenceCall): boolean {
    return request.message.byteLength > this.#options.orderedBytes;
  }

  /** Sends what is no start. @returns false when it must wait for a search */
  #sendOn(call: SequenceCall): boolean {
    const place = this.#placeFor(call);
    if (place?.lost) call.fail(sequenceLost(place.lost.why));
    else if (place) call.follow(place);
    // It was found, and left before this one had its turn.
    else if (call.hasSearched) call.fail(sequenceLost(`${this.name} is not where it was`));
    else {
      this.#search(call.request.number);
      return false;
    }
    return true;
  }

  /** Where a request goes that is no start; undefined when this router does not know. */
  #placeFor({ request }: SequenceCall): Place | undefined {
    const place = this.#place;
    if (place === undefined) return undefined;
    // Nobody can have begun what is behind a start that was not sent, whatever version was meant.
    if (place.lost && place.link === undefined) return this.#isFresh(place) ? place : undefined;
    if (request.number !== 0 && request.number !== place.version.number) return undefined;
    if (place.link?.isLost === true) place.lost ??= { why: goneWith(this.name), atMs: this.#now() };
    if (place.lost) return undefined;
    // The registry did not name it for a while; under another link it may be there as it was.
    return place.link?.state === 'closed' ? undefined : place;
  }

  /** Whether it was lost a short while ago. */
  #isFresh({ lost }: Place): boolean {
    return lost !== undefined && this.#now() < lost.atMs + lostMs;
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #search(version: number): void {
    this.#isSearching = true;
    const place = this.#place;
    // Somebody may have begun it anew elsewhere; where it was lost, what is left of it has a hole.
    const old = place && this.#isFresh(place) ? place : undefined;
    const question = { model: this.#model, id: this.#id, version, except: old?.link };
    void this.#find(question, old?.lost?.why).then((found) => {
      if (!(found instanceof SluiceError)) this.#place = found;
      // Those that waited with it have asked, too.
      for (const call of this.#calls.slice(this.#begun)) {
        if (call.request.mark.start) break;
        if (call.request.number !== version) continue;
        call.hasSearched = true;
        if (found instanceof SluiceError) call.fail(found);
      }
      this.#isSearching = false;
      this.#pump();
    });
  }

  /** @param lost why it was lost, where this router knows */
  async #find(question: SequenceQuestion, lost: string | undefined): Promise<Place | SluiceError> {
    try {
      const found = await this.#options.find(question, this.key);
      if (found.kind !== 'there' && lost !== undefined) return sequenceLost(lost);
      switch (found.kind) {
        case 'there': {
          const version = this.#options.destination(this.#model, found.version);
          return newPlace(version, { link: found.link, isBegun: true });
        }
        case 'nowhere':
          return sequenceLost(
            `no runtime knows ${this.name}${question.version ? ` on version ${question.version}` : ''}`,
          );
        case 'unsure':
          return unavailable(`${this.name} may be on a runtime that cannot be asked now; try again`, {
            retryAfterMs: askAgainMs,
          });
      }
    } catch (error) {
      return SluiceError.from(error);
    }
  }
}
