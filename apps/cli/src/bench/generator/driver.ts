import type { Clock, Timer } from '@sluice/domain/clock';
import { type Arrivals, Schedule, type Share } from '../schedule.ts';
import type { RequestBytes } from './request-bytes.ts';
import { Sequence, type SequenceBook, type Step } from './sequences.ts';
import type { Tally } from './tally.ts';
import type { Ending, Flight, Transport } from './transport.ts';

/** What a thread is to do. */
export type Load =
  | { readonly kind: 'closed'; readonly inFlight: number }
  /** @property mostInFlight requests that are due while so many are in flight wait, and count as held */
  | { readonly kind: 'open'; readonly arrivals: Arrivals; readonly share: Share; readonly mostInFlight: number };

/** Wakes an open loop: `at` is on the clock's monotonic scale. One wake is pending at most: the last that was asked for. */
export interface Pacer {
  wakeAt(at: number, fn: () => void): void;
  /** After what the process has to do beside. */
  soon(fn: () => void): void;
  cancel(): void;
}

export interface DriverParts {
  readonly clock: Clock;
  readonly pacer: Pacer;
  readonly transport: Transport;
  readonly requests: RequestBytes;
  readonly tally: Tally;
  /** Makes the requests steps of sequences, of which an open loop has `alive`. */
  readonly sequences?: { readonly book: SequenceBook; readonly alive: number } | undefined;
  /** Told of every request that ended, well or not. */
  readonly onEnded?: (() => void) | undefined;
}

/** How long a caller waits after its connection broke, in milliseconds. */
const pauseMs = 100;
/** Requests that an open loop sends before others have a turn, when it is behind. */
const burst = 64;

/** Makes the load: keeps requests in flight, or sends them at their times. */
export class Driver {
  readonly #parts: DriverParts;
  #run: Run | undefined;

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  /** Begins. @param limit how many requests are sent in all; absent means until `stop` */
  start(load: Load, limit = Number.POSITIVE_INFINITY): void {
    if (this.#run !== undefined) throw new Error('stop comes first');
    this.#run =
      load.kind === 'closed' ? new ClosedLoop(this.#parts, load, limit) : new OpenLoop(this.#parts, load, limit);
    this.#run.begin();
  }

  /** Sends no more; resolves when all is answered, and open sequences are ended. */
  async stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.stop();
  }
}

/** What both loops share: requests in flight and how they are counted. */
abstract class Run {
  protected readonly parts: DriverParts;
  protected inFlight = 0;
  protected sent = 0;
  protected isStopping = false;
  readonly #limit: number;
  readonly #stopped = Promise.withResolvers<undefined>();

  constructor(parts: DriverParts, limit: number) {
    this.parts = parts;
    this.#limit = limit;
  }

  abstract begin(): void;
  /** A request ended; its place is free. */
  protected abstract freed(lane: number, ending: Ending): void;
  protected abstract lanes(): Iterable<readonly [number, Sequence]>;
  protected abstract quiet(): void;

  async stop(): Promise<void> {
    this.isStopping = true;
    this.quiet();
    this.#stopIfIdle();
    await this.#stopped.promise;
  }

  protected get maySend(): boolean {
    return !this.isStopping && this.sent < this.#limit;
  }

  /** @param due when it should have been sent; latency counts from there */
  protected launch(lane: number, due: number, sequence: Sequence | undefined, step = sequence?.next()): void {
    const { clock, transport, requests } = this.parts;
    this.sent += 1;
    this.inFlight += 1;
    const flight = new TimedFlight(due, (ending) => this.#ended(lane, sequence, step, flight, ending));
    transport.send(sequence === undefined ? undefined : lane, (id) => requests.take(id, step), flight);
    flight.writtenMs = clock.monotonic();
  }

  #ended(
    lane: number,
    sequence: Sequence | undefined,
    step: Step | undefined,
    flight: TimedFlight,
    ending: Ending,
  ): void {
    this.inFlight -= 1;
    const { clock, tally, onEnded } = this.parts;
    if (ending.status === 'OK') {
      const now = clock.monotonic();
      tally.answered(now - flight.dueMs, flight.writtenMs - flight.dueMs, now - ending.firstByteMs);
    } else {
      tally.failed(ending.status, ending.message);
      if (step !== undefined) sequence?.lost(step.id);
    }
    onEnded?.();
    if (this.isStopping) this.#stopIfIdle();
    else this.freed(lane, ending);
  }

  #stopIfIdle(): void {
    if (this.inFlight > 0) return;
    // What was begun at the server is ended there.
    for (const [lane, sequence] of this.lanes()) {
      const step = sequence.finish();
      if (step !== undefined) this.launch(lane, this.parts.clock.monotonic(), sequence, step);
    }
    if (this.inFlight === 0) this.#stopped.resolve(undefined);
  }
}

class TimedFlight implements Flight {
  readonly dueMs: number;
  readonly ended: (ending: Ending) => void;
  writtenMs = 0;

  constructor(dueMs: number, ended: (ending: Ending) => void) {
    this.dueMs = dueMs;
    this.ended = ended;
  }
}

class ClosedLoop extends Run {
  readonly #slots: readonly (Sequence | undefined)[];
  readonly #pauses = new Set<Timer>();

  constructor(parts: DriverParts, load: Extract<Load, { kind: 'closed' }>, limit: number) {
    super(parts, limit);
    const { sequences } = parts;
    this.#slots = Array.from({ length: load.inFlight }, () => sequences && new Sequence(sequences.book));
  }

  begin(): void {
    for (const lane of this.#slots.keys()) this.#send(lane);
  }

  protected freed(lane: number, { lost }: Ending): void {
    if (!lost) {
      this.#send(lane);
      return;
    }
    const pause = this.parts.clock.schedule(pauseMs, () => {
      this.#pauses.delete(pause);
      this.#send(lane);
    });
    this.#pauses.add(pause);
  }

  protected *lanes(): Iterable<readonly [number, Sequence]> {
    for (const [lane, sequence] of this.#slots.entries()) if (sequence !== undefined) yield [lane, sequence];
  }

  protected quiet(): void {
    for (const pause of this.#pauses) pause.cancel();
    this.#pauses.clear();
  }

  #send(lane: number): void {
    if (this.maySend) this.launch(lane, this.parts.clock.monotonic(), this.#slots[lane]);
  }
}

class OpenLoop extends Run {
  readonly #schedule: Schedule;
  readonly #mostInFlight: number;
  readonly #sequences: readonly Sequence[];
  #startMs = 0;
  /** Until when there was no room: what was due by then was held. */
  #fullUntilMs = Number.NEGATIVE_INFINITY;
  #isFull = false;

  constructor(parts: DriverParts, load: Extract<Load, { kind: 'open' }>, limit: number) {
    super(parts, limit);
    this.#schedule = new Schedule(load.arrivals, load.share);
    this.#mostInFlight = load.mostInFlight;
    const { sequences } = parts;
    this.#sequences = sequences ? Array.from({ length: sequences.alive }, () => new Sequence(sequences.book)) : [];
  }

  begin(): void {
    this.#startMs = this.parts.clock.monotonic();
    this.#pump();
  }

  protected freed(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#fullUntilMs = this.parts.clock.monotonic();
    this.#pump();
  }

  protected *lanes(): Iterable<readonly [number, Sequence]> {
    yield* this.#sequences.entries();
  }

  protected quiet(): void {
    this.parts.pacer.cancel();
  }

  /** Sends what is due and asks to be woken for the next. */
  #pump(): void {
    const { clock, pacer, tally } = this.parts;
    for (let count = 0; this.maySend; count += 1) {
      const due = this.#startMs + this.#schedule.next;
      const now = clock.monotonic();
      if (due > now) {
        pacer.wakeAt(due, () => this.#pump());
        return;
      }
      if (this.inFlight >= this.#mostInFlight) {
        this.#isFull = true;
        return;
      }
      if (count >= burst) {
        pacer.soon(() => this.#pump());
        return;
      }
      this.#schedule.advance();
      tally.left(now - due, due <= this.#fullUntilMs);
      const lane = this.#sequences.length === 0 ? 0 : this.sent % this.#sequences.length;
      this.launch(lane, due, this.#sequences[lane]);
    }
  }
}
