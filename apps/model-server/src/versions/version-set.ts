import { isDeepStrictEqual } from 'node:util';
import type { Clock, Random, Timer } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import type { Device } from '../runtime/devices.ts';
import { WorkerHost } from '../runtime/worker-host.ts';
import { versionKey, type Assignment, type Placement } from './assignment.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import { Losses } from './losses.ts';
import { RetiredStats } from './retired-stats.ts';
import { ServedVersion } from './served-version.ts';
import { ServingTable } from './serving-table.ts';

export interface VersionSetPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly cache: ArtifactCache;
  readonly threads: number;
  readonly devices: readonly Device[];
  readonly defer: (fn: () => void) => void;
  /** Told after every change of a version's state, once the table shows it. */
  readonly changed: () => void;
}

/** A load that failed for want of something (registry, disk) is tried again after this long, with jitter. */
const retryMs = 5_000;

/** Settings too: those of an old snapshot may be fewer than the registry sends, and what is loaded keeps its own. */
const runsAlike = (one: Assignment, other: Assignment): boolean =>
  one.digest === other.digest && one.notKnown === other.notKnown && isDeepStrictEqual(one.serving, other.serving);

/** The versions of this runtime: follows the placement, loads one version at a time, keeps the table. */
export class VersionSet {
  /** Replaced at every change; requests read it once. */
  table = new ServingTable([]);
  /** The revision that was applied last; 0 before the first. */
  revision = 0;
  /** Names this life of the runtime: what its versions count begins with it. */
  readonly epoch: string;
  readonly #ports: VersionSetPorts;
  readonly #versions = new Map<string, ServedVersion>();
  /** Withdrawn versions that still finish requests. */
  readonly #leaving = new Map<ServedVersion, Promise<void>>();
  readonly #retired = new RetiredStats();
  readonly #losses: Losses;
  readonly #retries = new Map<string, Timer>();
  #loading: Promise<void> | undefined;
  #placement: Placement | undefined;
  #closed = false;
  #shared: WorkerHost | undefined;
  readonly #deviceThreads = new Map<string, WorkerHost>();

  constructor(ports: VersionSetPorts) {
    this.#ports = ports;
    this.epoch = Buffer.from(ports.random.bytes(16)).toString('hex');
    this.#losses = new Losses(ports.clock);
  }

  /** True once every version of the first placement is ready or has failed. */
  get settled(): boolean {
    if (!this.#placement) return false;
    return this.versions().every((version) => version.state === 'ready' || version.state === 'failed');
  }

  versions(): readonly ServedVersion[] {
    return [...this.#versions.values()];
  }

  /** Withdrawn versions that still finish requests or give their memory back. */
  leaving(): readonly ServedVersion[] {
    return [...this.#leaving.keys()];
  }

  /** Batches that are with sessions, those of versions on their way out too. */
  get runningBatches(): number {
    return [...this.#versions.values(), ...this.#leaving.keys()].reduce((sum, of) => sum + of.running().batches, 0);
  }

  /** What is placed now, and what is on its way out and may still read its files. */
  neededFiles(): readonly Assignment[] {
    const holders = [...this.#versions.values(), ...this.#leaving.keys()].filter((version) => version.needsFiles);
    return holders.map((version) => version.assignment);
  }

  get placement(): Placement | undefined {
    return this.#placement;
  }

  /** Starts what is missing, withdraws what is not placed any more, and takes over aliases of the rest, all at once. */
  apply(placement: Placement): void {
    if (this.#closed) return;
    const wanted = new Map(placement.assignments.map((assignment) => [versionKey(assignment), assignment]));
    this.#placement = placement;
    this.revision = placement.revision;
    for (const [key, version] of this.#versions) {
      const assignment = wanted.get(key);
      if (assignment && runsAlike(assignment, version.assignment)) version.update(assignment);
      else this.#withdraw(version);
    }
    for (const [key, assignment] of wanted) if (!this.#versions.has(key)) this.#add(assignment);
    this.#refresh();
    this.#loadNext();
  }

  #add(assignment: Assignment): void {
    const { clock, logger, cache, threads, devices, defer } = this.#ports;
    const changed = (): void => this.#refresh();
    const sessionLost = (lost: ServedVersion): void => this.#afterLoss(lost);
    const sharedThread = (): WorkerHost => this.#sharedThread();
    const deviceThread = (device: string): WorkerHost => this.#deviceThread(device);
    const neededFiles = (): readonly Assignment[] => this.neededFiles();
    const ports = {
      clock,
      logger,
      cache,
      neededFiles,
      threads,
      devices,
      sharedThread,
      deviceThread,
      defer,
      changed,
      sessionLost,
    };
    const version = new ServedVersion(assignment, ports, this.#retired.take(assignment));
    this.#versions.set(version.key, version);
  }

  /** The thread that small versions share; it ends with its last session, and then there is a new one. */
  #sharedThread(): WorkerHost {
    if (!this.#shared?.alive) this.#shared = new WorkerHost();
    return this.#shared;
  }

  /** The same for the sessions on a device that is for one thread at a time. */
  #deviceThread(device: string): WorkerHost {
    const known = this.#deviceThreads.get(device);
    if (known?.alive) return known;
    const made = new WorkerHost();
    this.#deviceThreads.set(device, made);
    return made;
  }

  #withdraw(version: ServedVersion): void {
    this.#versions.delete(version.key);
    this.#retired.keep(version.assignment, version.stats);
    this.#losses.forget(version.key);
    this.#retries.get(version.key)?.cancel();
    this.#retries.delete(version.key);
    const leaving = this.#leave(version).catch((error: unknown) => {
      this.#ports.logger.error({ err: error, version: version.key }, 'a version could not be unloaded cleanly');
    });
    this.#leaving.set(version, leaving);
    void leaving.then(() => this.#leaving.delete(version));
  }

  async #leave(version: ServedVersion): Promise<void> {
    await version.withdraw();
    // At a stop everything leaves, and the next start needs the files.
    if (!this.#closed) await this.prune();
  }

  /** Deletes the files that no version needs any more. */
  async prune(): Promise<void> {
    // A stop may come meanwhile.
    const needed = () => (this.#closed ? (this.#placement?.assignments ?? []) : this.neededFiles());
    const freed = await this.#ports.cache.prune(needed);
    if (freed > 0) this.#ports.logger.info({ bytes: freed }, 'artifacts that no version needs were deleted');
  }

  #refresh(): void {
    this.table = new ServingTable(this.versions());
    this.#ports.changed();
  }

  /** Loads one version after the other, champions first: two at once would need the memory of both at their peak. */
  #loadNext(): void {
    if (this.#loading || this.#closed) return;
    const waiting = this.versions().filter((version) => version.state === 'assigned');
    const next = waiting.find((version) => version.assignment.champion) ?? waiting[0];
    if (!next) return;
    this.#loading = next.load().then(() => {
      this.#loading = undefined;
      if (next.state === 'failed') this.#retryLater(next);
      this.#loadNext();
    });
  }

  #retryLater(version: ServedVersion): void {
    if (this.#versions.get(version.key) !== version || !version.mayPass) return;
    const delay = retryMs * (0.5 + this.#ports.random.uniform());
    const retry = (): void => {
      version.retry();
      this.#loadNext();
    };
    this.#retries.set(version.key, this.#ports.clock.schedule(delay, retry));
  }

  #afterLoss(version: ServedVersion): void {
    if (this.#versions.get(version.key) !== version) return;
    if (!this.#losses.add(version.key)) {
      this.#ports.logger.error({ version: version.key }, 'a version lost its session too often and stays failed');
      return;
    }
    version.retry();
    this.#loadNext();
  }

  /** Resolves when versions that were withdrawn are gone. */
  async idle(): Promise<void> {
    await Promise.all(this.#leaving.values());
  }

  /** Withdraws everything; requests in flight should have ended before. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const version of this.versions()) this.#withdraw(version);
    this.#refresh();
    await this.idle();
  }
}
