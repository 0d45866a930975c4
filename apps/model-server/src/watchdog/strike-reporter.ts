import type { Clock, Random, Timer } from '@sluice/domain/clock';
import { SluiceError, type ErrorKind } from '@sluice/domain/errors';
import { jittered } from '@sluice/resilience/backoff';
import type { Logger } from '@sluice/service-kit/logger';
import type { RegistryPort } from '../registry/ports.ts';
import type { BookedStrike, StrikeBook } from './strike-book.ts';

export interface StrikeReporterPorts {
  readonly registry: Pick<RegistryPort, 'reportStrike'>;
  readonly book: Pick<StrikeBook, 'unreported' | 'reported'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told when the registry knows of a strike and has not quarantined the version, which may be loaded then. */
  readonly answered: (strike: BookedStrike) => void;
}

const backoff = { baseMs: 250, maxMs: 10_000 };

/** Answers that the same report would get again: the version is gone, or the registry is too old to count strikes. */
const final: ReadonlySet<ErrorKind> = new Set([
  'not-found',
  'failed-precondition',
  'invalid-argument',
  'unimplemented',
]);

/** Tells the registry of strikes, one after the other, until each is answered; the next start goes on where this ends. */
export class StrikeReporter {
  readonly #ports: StrikeReporterPorts;
  #failures = 0;
  #timer: Timer | undefined;
  #busy: Promise<void> | undefined;
  #stopped = false;

  constructor(ports: StrikeReporterPorts) {
    this.#ports = ports;
  }

  start(): void {
    if (this.#stopped) return;
    this.#busy ??= this.#report().finally(() => (this.#busy = undefined));
  }

  // A method: the compiler would else believe that nothing changes during an `await`.
  #isStopped(): boolean {
    return this.#stopped;
  }

  async #report(): Promise<void> {
    const { book, logger, clock, random } = this.#ports;
    for (let strike = book.unreported[0]; strike && !this.#isStopped(); strike = book.unreported[0]) {
      try {
        await this.#tell(strike);
        this.#failures = 0;
      } catch (error) {
        this.#failures += 1;
        const { kind, message } = SluiceError.from(error);
        if (this.#failures === 1)
          logger.warn({ kind, reason: message }, 'a strike could not be reported; trying again');
        if (this.#isStopped()) return;
        this.#timer = clock.schedule(jittered(this.#failures, backoff, random), () => this.start());
        return;
      }
    }
  }

  async #tell(strike: BookedStrike): Promise<void> {
    const { registry, book, logger, answered } = this.#ports;
    const { model, version, kind } = strike;
    let isGone = false;
    try {
      const { quarantined, strikes } = await registry.reportStrike(strike);
      isGone = quarantined;
      logger.warn({ model, version, kind, strikes, quarantined }, 'the registry has heard of a strike');
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (!final.has(error.kind)) throw error;
      logger.warn({ model, version, kind, reason: error.message }, 'the registry has no use for a strike');
    }
    await book.reported(strike.id);
    if (!isGone) answered(strike);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#busy;
  }
}
