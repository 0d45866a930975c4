import path from 'node:path';
import { strikeCountsForMs, strikeKinds, strikesAllowed } from '@sluice/domain/quarantine';
import { readFileIfAny, writeFileAtomic } from '@sluice/service-kit/atomic-file';
import { z } from 'zod';
import type { NamedVersion } from './crash-file.ts';
import type { Strike, Suspicion, Verdict } from './judge.ts';

/** A strike, and whether the registry knows of it. */
export interface BookedStrike extends Strike {
  readonly reported: boolean;
}

/** How long suspected versions are kept apart from each other's time, in milliseconds. */
export const suspectForMs = 60 * 60 * 1000;
/** Strikes that are kept at most: a runtime that finds more lost the registry long ago. */
const strikesAtMost = 1_000;

const named = { model: z.string(), version: z.number().int().positive(), digest: z.string() };
const form = z.object({
  format: z.literal(1),
  strikes: z.array(
    z.object({ ...named, id: z.string(), kind: z.enum(strikeKinds), atMs: z.number(), reported: z.boolean() }),
  ),
  suspicions: z.array(z.object({ id: z.string(), versions: z.array(z.object(named)), atMs: z.number() })),
});

const isOf = (of: NamedVersion, { model, version, digest }: NamedVersion): boolean =>
  of.model === model && of.version === version && of.digest === digest;

/** What versions did to this runtime, on disk: kept until the registry has heard of it and it no longer counts. */
export class StrikeBook {
  readonly #file: string;
  readonly #now: () => number;
  #strikes: readonly BookedStrike[] = [];
  #suspicions: readonly Suspicion[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** @param now Clock.now() */
  constructor(stateDir: string, now: () => number) {
    this.#file = path.join(stateDir, 'strikes.json');
    this.#now = now;
  }

  /** @throws Error when the file is there and cannot be used */
  async read(): Promise<void> {
    const bytes = await readFileIfAny(this.#file);
    if (!bytes) return;
    const { strikes, suspicions } = form.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    this.#strikes = strikes;
    this.#suspicions = suspicions;
  }

  get strikes(): readonly BookedStrike[] {
    return this.#strikes;
  }

  /** Suspicions that nothing has cleared up. */
  get suspicions(): readonly Suspicion[] {
    return this.#suspicions.filter((suspicion) => this.#isOpen(suspicion));
  }

  /** Those that the registry has not heard of, oldest first. */
  get unreported(): readonly BookedStrike[] {
    return this.#strikes.filter(({ reported }) => !reported);
  }

  /** Adds what the end of a life came to, once, and forgets what no longer counts. Resolves when it is on disk. */
  async add({ strike, suspicion }: Verdict): Promise<void> {
    const before = [this.#strikes.length, this.#suspicions.length].join();
    const kept = this.#strikes.filter((one) => !one.reported || this.#counts(one));
    if (strike && !kept.some(({ id }) => id === strike.id)) kept.push({ ...strike, reported: false });
    this.#strikes = kept.slice(-strikesAtMost);
    const open = this.suspicions.filter(({ id }) => id !== suspicion?.id);
    this.#suspicions = suspicion ? [...open, suspicion] : open;
    const changed = strike ?? suspicion ?? before !== [this.#strikes.length, this.#suspicions.length].join();
    if (changed) await this.#write();
  }

  /** The registry has heard of a strike. */
  async reported(id: string): Promise<void> {
    this.#strikes = this.#strikes.map((strike) => (strike.id === id ? { ...strike, reported: true } : strike));
    await this.#write();
  }

  /** It has done something lately: all others are loaded before it. */
  isStruck(version: NamedVersion): boolean {
    return this.#strikes.some((strike) => isOf(strike, version) && (this.#counts(strike) || !strike.reported));
  }

  /**
   * Why it is not loaded for now; undefined when it may be. One that ended the process in its load would do it again at
   * once, and one with as many strikes as a quarantine needs is waited with until the registry has decided.
   */
  heldBack(version: NamedVersion): string | undefined {
    const open = this.unreported.filter((strike) => isOf(strike, version));
    const inLoad = open.some(({ kind }) => kind === 'crashed-loading' || kind === 'hung-loading');
    if (!inLoad && open.length < strikesAllowed) return undefined;
    const deed = inLoad ? 'it ended this runtime while it was loaded' : `it ended this runtime ${open.length} times`;
    return `${deed}; it is tried again when the registry has heard of it`;
  }

  /** Until when it shares a thread with those that are suspected with it, by Clock.now(); undefined when it need not. */
  suspectUntil(version: NamedVersion): number | undefined {
    const times = this.suspicions
      .filter(({ versions }) => versions.some((one) => isOf(one, version)))
      .map(({ atMs }) => atMs + suspectForMs);
    return times.length > 0 ? Math.max(...times) : undefined;
  }

  #counts({ atMs }: Strike): boolean {
    return this.#now() - atMs < strikeCountsForMs;
  }

  /** A later strike of one of them clears the others. */
  #isOpen({ versions, atMs }: Suspicion): boolean {
    if (this.#now() - atMs >= suspectForMs) return false;
    return !this.#strikes.some((strike) => strike.atMs >= atMs && versions.some((one) => isOf(strike, one)));
  }

  #write(): Promise<void> {
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(() =>
        writeFileAtomic(
          this.#file,
          JSON.stringify({ format: 1, strikes: this.#strikes, suspicions: this.#suspicions }),
        ),
      );
    return this.#writing;
  }
}
