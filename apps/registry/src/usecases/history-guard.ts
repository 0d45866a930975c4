import { failedPrecondition, SluiceError, unavailable } from '@sluice/domain/errors';
import type { CheckpointSink } from '../audit/checkpoint-sink.ts';
import type { AuditKey, SignedCheckpoint } from '../audit/checkpoint.ts';
import type { AuditLog, AuditReads } from './audit-log.ts';
import { allKept, latestKept } from './kept-checkpoints.ts';
import { judgeHistory, type HistoryPorts } from './lost-history.ts';

export interface HistoryGuardPorts extends HistoryPorts {
  readonly log: AuditLog;
  readonly sink: CheckpointSink;
  /** Told when the database turns out to be another one than before, and (undefined) when it is the right one again. */
  readonly onChange: (problem: string | undefined) => void;
}

/**
 * Watches in a running registry that its database is not replaced by an older one or another: the proof of that is the
 * last checkpoint, which must then be kept as it is. Changes are refused until the right database is back, or a registry
 * was started with --accept-restore.
 */
export class HistoryGuard {
  readonly #ports: HistoryGuardPorts;
  #known: SignedCheckpoint | undefined;
  #problem: string | undefined;
  /** Counts the times that the database was away, and how many of them were looked into. */
  #away = 0;
  #checked = 0;
  #checking: Promise<unknown> | undefined;

  constructor(ports: HistoryGuardPorts) {
    this.#ports = ports;
  }

  /** What is wrong with the database, as far as known. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The database was away: what comes back may be another one, and nothing is changed before that was looked into. */
  suspect(): void {
    this.#away += 1;
  }

  /**
   * To be called before a change. Errors: `failed-precondition` while the database is the wrong one, `data-loss` while a
   * checkpoint that would tell is damaged.
   */
  async require(): Promise<void> {
    if (this.#checked < this.#away) await this.#lookInto();
    if (this.#problem === undefined) return;
    throw failedPrecondition(
      `${this.#problem}: the database was put back from before the last checkpoint while this registry ran, so nothing is changed. Put back a newer one, or restart a registry with --accept-restore, which leaves an audit entry`,
    );
  }

  /** Reads the artifact store, then the log: what was kept, the log must have. Gives what is wrong. */
  async check(): Promise<string | undefined> {
    const { sink, log } = this.#ports;
    const away = this.#away;
    const kept =
      this.#checked < away ? await allKept(sink) : await this.#latest(await log.read((reads) => reads.keys()));
    const problem = await log.read((reads) => this.#judge(reads, kept));
    this.#checked = Math.max(this.#checked, away);
    return problem;
  }

  /** The same inside of a transaction that is open, in which every statement sees what was committed before it. */
  async checkWithin(reads: AuditReads): Promise<string | undefined> {
    return this.#judge(reads, await this.#latest(await reads.keys()));
  }

  async #lookInto(): Promise<void> {
    this.#checking ??= this.check().finally(() => (this.#checking = undefined));
    try {
      await this.#checking;
    } catch (cause) {
      // A damaged checkpoint stays damaged however often it is looked at: its message says what to do.
      if (cause instanceof SluiceError && cause.kind === 'data-loss') throw cause;
      throw unavailable('the registry cannot see yet whether its database is the one that it had before; try again', {
        retryAfterMs: 1_000,
        cause,
      });
    }
  }

  /** The artifact store's latest, and the last one that we saw there: it may have been taken away since. */
  async #latest(keys: readonly AuditKey[]): Promise<readonly SignedCheckpoint[]> {
    const latest = await latestKept(this.#ports.sink, [this.#ports.key, ...keys]);
    return [latest, this.#known].filter((checkpoint) => checkpoint !== undefined);
  }

  async #judge(reads: AuditReads, kept: readonly SignedCheckpoint[]): Promise<string | undefined> {
    const { sound, lost } = await judgeHistory(reads, this.#ports, kept);
    if (sound) this.#known = sound;
    if (lost?.problem !== this.#problem) {
      this.#problem = lost?.problem;
      this.#ports.onChange(this.#problem);
    }
    return this.#problem;
  }
}
