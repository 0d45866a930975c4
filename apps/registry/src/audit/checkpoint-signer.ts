import type { Clock, Timer } from '@sluice/domain/clock';
import type { TreeHasher } from '@sluice/domain/merkle';
import type { Logger } from '@sluice/service-kit/logger';
import { logOutage } from '@sluice/service-kit/outage';
import type { AuditLog, AuditReads, AuditWrites } from '../usecases/audit-log.ts';
import { rootAt } from '../usecases/audit-proofs.ts';
import type { HistoryGuard } from '../usecases/history-guard.ts';
import type { CheckpointSink } from './checkpoint-sink.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import type { SigningKey } from './signing-key.ts';

export interface CheckpointSignerOptions {
  readonly log: AuditLog;
  readonly writes: AuditWrites;
  readonly sink: CheckpointSink;
  /** Asked before anything is written over a checkpoint: it may be all that proves that the database was put back. */
  readonly guard: Pick<HistoryGuard, 'check' | 'checkWithin' | 'problem'>;
  readonly hasher: TreeHasher;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  /** From the end of one round to the next, in milliseconds. Default 5,000. */
  readonly intervalMs?: number;
}

/**
 * How the signer stands.
 * - `idle`: no round has ended yet.
 * - `signing`: the last round did what there was to do, here or in another replica.
 * - `refused`: our key is not the log's current one; rotate, or configure the right key. Or the database was put back
 *   from before the last checkpoint; put back a newer one, or restart with --accept-restore.
 * - `failing`: the last round failed; the next one tries again.
 */
export type SignerState = 'idle' | 'signing' | 'refused' | 'failing';

export interface SignerStatus {
  readonly state: SignerState;
  readonly keyId: string;
  /** Entries under the last checkpoint that this replica knows of; 0 before the first. */
  readonly checkpointSize: number;
  /** When it was signed, in milliseconds since the epoch; 0 before the first. */
  readonly signedAt: number;
  readonly error: string;
}

/** Signs the log's state whenever it has grown, one replica at a time, into database and artifact store. */
export class CheckpointSigner {
  readonly #options: CheckpointSignerOptions;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #closed = false;
  #status: SignerStatus;

  constructor(options: CheckpointSignerOptions) {
    this.#options = options;
    this.#status = { state: 'idle', keyId: options.key.keyId, checkpointSize: 0, signedAt: 0, error: '' };
  }

  get status(): SignerStatus {
    return this.#status;
  }

  /** Begins with a round at once. */
  start(): void {
    void this.run();
  }

  /** Runs a round now, or waits for the one that is under way. Never throws: `status` tells. */
  async run(): Promise<void> {
    this.#timer?.cancel();
    this.#round ??= this.#signRound().finally(() => {
      this.#round = undefined;
      if (!this.#closed)
        this.#timer = this.#options.clock.schedule(this.#options.intervalMs ?? 5000, () => void this.run());
    });
    await this.#round;
  }

  /** Ends with the round that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#round;
  }

  async #signRound(): Promise<void> {
    const { log, writes, guard, key, logger } = this.#options;
    try {
      if (this.#isRefused(await guard.check())) return;
      const current = (await log.read((reads) => reads.keys())).at(-1)?.keyId ?? 'none';
      if (current !== key.keyId) {
        const error = `this registry has key ${key.keyId}, the audit log's current key is ${current}`;
        this.#become({ state: 'refused', error });
        return;
      }
      const signed = await writes.checkpoint((reads) => this.#make(reads));
      if (signed) logger.info({ tree_size: signed.treeSize, key_id: signed.keyId }, 'checkpoint signed');
      if (this.#isRefused(guard.problem)) return;
      const last = signed ?? (await log.read((reads) => reads.latestCheckpoint()));
      this.#become({ state: 'signing', ...(last ? { checkpointSize: last.treeSize, signedAt: last.signedAt } : {}) });
    } catch (error) {
      this.#become({ state: 'failing', error: error instanceof Error ? error.message : String(error) }, error);
    }
  }

  #isRefused(error: string | undefined): boolean {
    if (error !== undefined) this.#become({ state: 'refused', error });
    return error !== undefined;
  }

  /** Runs under the lock. Size before key: a rotation in between makes us refuse, never sign with an old key. */
  async #make(reads: AuditReads): Promise<SignedCheckpoint | undefined> {
    const { key, sink, guard, hasher, clock } = this.#options;
    if ((await guard.checkWithin(reads)) !== undefined) return undefined;
    const size = await reads.size();
    if ((await reads.keys()).at(-1)?.keyId !== key.keyId) return undefined;
    const last = await reads.latestCheckpoint();
    if (last && last.treeSize >= size) {
      await this.#catchUp(last);
      return undefined;
    }
    const checkpoint = key.sign({
      treeSize: size,
      rootHash: await rootAt(reads, hasher, size),
      signedAt: Math.trunc(clock.now()),
    });
    // Before the row is committed and under the lock, so that a replica never replaces a later one by an earlier one.
    await sink.put(checkpoint);
    return checkpoint;
  }

  /** The database has a checkpoint that the artifact store lost, or was away for. */
  async #catchUp(last: SignedCheckpoint): Promise<void> {
    const kept = await this.#options.sink.latest();
    if (!kept || kept.treeSize !== last.treeSize) await this.#options.sink.put(last);
  }

  #become(change: Partial<SignerStatus> & { readonly state: SignerState }, err?: unknown): void {
    const before = this.#status;
    this.#status = { ...this.#status, error: '', ...change };
    // An attempt that fails in another way each time is told once; a refusal is told again when its reason is another.
    if (change.state === before.state && (change.state !== 'refused' || this.#status.error === before.error)) return;
    if (change.state === 'refused')
      this.#options.logger.error({ reason: this.#status.error }, 'checkpoints are not signed');
    if (change.state === 'failing') logOutage(this.#options.logger, err, 'signing a checkpoint failed');
  }
}
