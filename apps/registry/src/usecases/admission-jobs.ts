import type { Clock, Timer } from '@sluice/domain/clock';
import { type ErrorKind, SluiceError, unavailable } from '@sluice/domain/errors';
import { storableText } from '@sluice/domain/text';
import type { Admission, AdmissionOutcome, InspectedVersion } from '../admission/admission.ts';
import { Progress } from './progress.ts';
import type { VersionRecord } from './records.ts';
import type { AdmissionEnd, RegistryState } from './state.ts';
import { systemActor } from './state.ts';

/** How often the replica that runs an admission says so. */
const renewMs = 2_000;
/** How often folders are looked for that a killed registry left behind. */
const sweepMs = 600_000;
/** Silence after which another replica takes an admission over. */
export const staleMs = 15_000;
/** Waits between attempts while the machine fails and not the version: a full disk, a store that does not answer. */
const backoffMs = [1_000, 5_000, 15_000, 60_000, 120_000];
/** Failures that say something of the version or its files: no other attempt ends differently. */
const verdicts: ReadonlySet<ErrorKind> = new Set(['invalid-argument', 'failed-precondition', 'not-found', 'data-loss']);
/** Runs of one admission that did not end because its replica went away, after which the version is rejected. */
const maxAttempts = 3;

/** Who runs which admission; kept so that a crash in the middle is noticed. Not audited. */
export interface AdmissionRuns {
  renew(model: string, number: number): Promise<void>;
  /** Admissions whose replica has fallen silent for `staleMs`, now this replica's, with the attempts so far. */
  takeStale(staleMs: number): Promise<readonly { readonly version: VersionRecord; readonly attempts: number }[]>;
  /** Lets another replica take it over at once. */
  release(model: string, number: number): Promise<void>;
}

export interface AdmissionJobsPorts {
  readonly state: RegistryState;
  readonly admission: Admission;
  readonly runs: AdmissionRuns;
  readonly clock: Clock;
  /** Told of failures that no caller sees. */
  readonly onError: (error: unknown, what: string) => void;
  /** Told whenever an admission has ended here. */
  readonly onEnd?: () => void;
}

/** The admissions that this replica runs. They go on when the caller who began them is gone. */
export class AdmissionJobs {
  readonly #ports: AdmissionJobsPorts;
  readonly #jobs = new Map<string, Progress<VersionRecord>>();
  readonly #renewals = new Map<string, Timer>();
  readonly #closing = new AbortController();
  #sweepAt = 0;

  constructor(ports: AdmissionJobsPorts) {
    this.#ports = ports;
  }

  /** The admission of a version that this replica runs now, for those who want to follow it. */
  find(model: string, number: number): Progress<VersionRecord> | undefined {
    return this.#jobs.get(key(model, number));
  }

  /** Names of the versions in admission here. */
  get running(): readonly string[] {
    return [...this.#jobs.keys()];
  }

  /** Runs the admission of a version that was just made. */
  start(version: VersionRecord, inspected: InspectedVersion): Progress<VersionRecord> {
    const progress = new Progress<VersionRecord>();
    for (const line of inspected.derived) progress.add(line);
    this.#run(version, progress, () => Promise.resolve(inspected));
    return progress;
  }

  /** Runs again what another replica left behind, or rejects what did not end several times. */
  async takeOver(): Promise<void> {
    await this.#sweep();
    for (const { version, attempts } of await this.#ports.runs.takeStale(staleMs)) {
      if (this.find(version.model, version.number)) continue;
      if (attempts > maxAttempts) {
        const why = `admission did not end in ${maxAttempts} attempts: the registry stopped while it ran`;
        await this.#store(version, rejected(version, why));
        continue;
      }
      const { files, graphPath } = version;
      this.#run(version, new Progress(), () => this.#ports.admission.inspect({ files, graphPath }));
    }
  }

  async #sweep(): Promise<void> {
    const now = this.#ports.clock.monotonic();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + sweepMs;
    await this.#ports.admission
      .sweep()
      .catch((error: unknown) => this.#ports.onError(error, 'removing what admissions left behind'));
  }

  /** Ends what runs and lets others take it over. */
  async close(): Promise<void> {
    const unfinished = this.running;
    this.#closing.abort();
    for (const timer of this.#renewals.values()) timer.cancel();
    await this.#ports.admission.close();
    await Promise.allSettled(
      unfinished.map((name) => {
        const [model, number] = parseKey(name);
        return this.#ports.runs.release(model, number);
      }),
    );
  }

  #run(version: VersionRecord, progress: Progress<VersionRecord>, inspect: () => Promise<InspectedVersion>): void {
    const name = key(version.model, version.number);
    this.#jobs.set(name, progress);
    this.#renewLater(version);
    this.#admit(version, progress, inspect)
      .then((end) => this.#storeUntilDone(version, end))
      .then(
        (stored) => progress.finish(stored),
        (error: unknown) => {
          if (!this.#closing.signal.aborted) this.#ports.onError(error, `admission of ${name}`);
          progress.fail(error);
        },
      )
      .finally(() => {
        this.#jobs.delete(name);
        this.#renewals.get(name)?.cancel();
        this.#renewals.delete(name);
        this.#ports.onEnd?.();
      });
  }

  /** What admission found; a rejection with the last failure when the machine let none of the attempts end. */
  async #admit(
    version: VersionRecord,
    progress: Progress<VersionRecord>,
    inspect: () => Promise<InspectedVersion>,
  ): Promise<AdmissionEnd> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const outcome: AdmissionOutcome = await this.#ports.admission.admit(await inspect(), {
          signal: this.#closing.signal,
          onProgress: (line) => progress.add(line),
        });
        const { passed, rejection, serving, report } = outcome;
        return { passed, rejection, serving, report };
      } catch (thrown) {
        const error = SluiceError.from(thrown);
        if (verdicts.has(error.kind)) return rejected(version, error.message);
        if (this.#closing.signal.aborted || error.kind === 'cancelled') throw error;
        const waitMs = backoffMs[attempt];
        this.#ports.onError(error, `attempt ${attempt + 1} of admission of ${key(version.model, version.number)}`);
        if (waitMs === undefined) {
          return rejected(version, `admission could not run in ${attempt + 1} attempts: ${error.message}`);
        }
        progress.add(`admission could not run: ${error.message}; tried again in ${waitMs / 1_000} s`);
        await this.#pause(waitMs);
      }
    }
  }

  async #storeUntilDone(version: VersionRecord, found: AdmissionEnd): Promise<VersionRecord> {
    let end = found;
    for (let attempt = 0; ;) {
      try {
        return await this.#store(version, end);
      } catch (thrown) {
        const error = SluiceError.from(thrown);
        const isAway = error.kind === 'unavailable';
        const waitMs = isAway ? 1_000 : backoffMs[attempt];
        if (!isAway) {
          attempt += 1;
          this.#ports.onError(error, `storing the admission of ${key(version.model, version.number)}`);
          if (waitMs === undefined) {
            if (end !== found) throw error;
            end = rejected(version, `what admission found could not be stored: ${error.message}`);
          }
        }
        await this.#pause(waitMs ?? 0);
      }
    }
  }

  /** Waits; throws `unavailable` when the registry stops meanwhile. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#ports.clock.schedule(signal.aborted ? 0 : ms, done);
      signal.addEventListener('abort', done, { once: true });
    });
    if (signal.aborted) throw unavailable('the registry is stopping; the admission goes on later');
  }

  async #store(version: VersionRecord, end: AdmissionEnd): Promise<VersionRecord> {
    const { model, number, digest } = version;
    return this.#ports.state.change(systemActor, async (change) => {
      const current = await change.version(model, number);
      if (current?.state !== 'admitting') return { entries: [], result: current ?? version };
      await change.endAdmission(model, number, end);
      if (end.passed) await change.settle(model);
      const state = end.passed ? 'ready' : 'rejected';
      const entry = {
        action: end.passed ? 'version.admitted' : 'version.rejected',
        object: `model/${model}/version/${number}`,
        body: { model, version: number, digest, ...(end.passed ? {} : { rejection: end.rejection }) },
      };
      const { serving, report, rejection } = end;
      const result = { ...current, state, serving, admission: report, rejection, revision: change.revision } as const;
      return { entries: [entry], result };
    });
  }

  #renewLater({ model, number }: VersionRecord): void {
    const name = key(model, number);
    const timer = this.#ports.clock.schedule(renewMs, () => {
      if (!this.#jobs.has(name) || this.#closing.signal.aborted) return;
      this.#ports.runs
        .renew(model, number)
        .catch((error: unknown) => {
          if (SluiceError.from(error).kind !== 'unavailable') this.#ports.onError(error, `renewal of ${name}`);
        })
        .finally(() => this.#jobs.has(name) && this.#renewLater({ model, number } as VersionRecord));
    });
    this.#renewals.set(name, timer);
  }
}

const rejected = ({ serving }: VersionRecord, why: string): AdmissionEnd => ({
  passed: false,
  rejection: storableText(why),
  serving,
  report: undefined,
});

const key = (model: string, number: number): string => `${model}:${number}`;

function parseKey(name: string): [string, number] {
  const colon = name.lastIndexOf(':');
  return [name.slice(0, colon), Number(name.slice(colon + 1))];
}
