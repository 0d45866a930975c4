import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { Clock, Timer } from '@sluice/domain/clock';

/** One life of something that is kept running. */
export interface Incarnation {
  /** Resolves when it serves; never rejects. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, whoever ended it, with the words for how: "status 1", "signal SIGKILL". */
  readonly ended: Promise<string>;
  /** Asks it to end; after `graceMs` it is made to. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
}

export interface KeeperOptions {
  readonly name: string;
  readonly clock: Clock;
  /** Starts one life; throws when it cannot. @param last the words for how the life before ended; '' for the first */
  readonly start: (last: string) => Promise<Incarnation>;
  readonly say: (severity: 'info' | 'warn' | 'error', message: string) => void;
}

/** A keeper whose charge ends this often without having served even once gives up: something is wrong for good. */
export const earlyEndsAllowed = 5;
const firstDelayMs = 250;
const longestDelayMs = 10_000;
/** A life of this length counts as healthy: the next restart starts again at the shortest delay. */
const healthyMs = 30_000;

const withUnit = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

/** Keeps one thing running: starts it again when it ends, after a delay that doubles up to ten seconds. */
export class Keeper {
  readonly name: string;
  /** Resolves when it serves for the first time; rejects with `unavailable` when it never gets there. */
  readonly firstReady: Promise<void>;
  readonly #options: KeeperOptions;
  readonly #first = Promise.withResolvers<undefined>();
  #current: Incarnation | undefined;
  #loop: Promise<void> | undefined;
  #stopping = false;
  #wake: (() => void) | undefined;
  #served = false;

  constructor(options: KeeperOptions) {
    this.name = options.name;
    this.#options = options;
    this.firstReady = this.#first.promise.then(() => undefined);
    // Whoever waits sees the rejection; nobody has to.
    this.firstReady.catch(() => undefined);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Ends it for good. One that was never started is simply not started any more. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#current?.stop(graceMs);
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, name, say } = this.#options;
    let delayMs = firstDelayMs;
    let how = '';
    let earlyEnds = 0;
    for (;;) {
      if (this.#mustStop()) return;
      const begun = clock.monotonic();
      how = await this.#live(how);
      if (this.#mustStop()) return;
      if (clock.monotonic() - begun >= healthyMs) delayMs = firstDelayMs;
      if (!this.#served && ++earlyEnds >= earlyEndsAllowed) {
        this.#first.reject(unavailable(`${name} ended ${earlyEnds} times before it was ready, at last with ${how}`));
        return;
      }
      say('warn', `${name} ended with ${how}; starting it again in ${withUnit(delayMs)}`);
      await this.#pause(delayMs);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    }
  }

  // A method: the compiler would else believe that nothing changes during an `await`.
  #mustStop(): boolean {
    return this.#stopping;
  }

  async #live(last: string): Promise<string> {
    try {
      const life = await this.#options.start(last);
      this.#current = life;
      if (this.#stopping) await life.stop(0);
      void life.ready.then(() => this.#becameReady());
      return await life.ended;
    } catch (error) {
      return error instanceof SluiceError ? error.message : String(error);
    } finally {
      this.#current = undefined;
    }
  }

  #becameReady(): void {
    if (this.#served && !this.#stopping) this.#options.say('info', `${this.name} is back`);
    this.#served = true;
    this.#first.resolve(undefined);
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer: Timer = this.#options.clock.schedule(ms, () => resolve(undefined));
    this.#wake = () => resolve(undefined);
    await promise;
    timer.cancel();
    this.#wake = undefined;
  }
}
