import { isDeepStrictEqual } from 'node:util';
import type { Clock, Random, Timer } from '@sluice/domain/clock';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { quarantinedError } from '@sluice/domain/quarantine';
import type { Logger } from '@sluice/service-kit/logger';
import type { Device } from '../runtime/devices.ts';
import type { ThreadRegister } from '../runtime/worker-host.ts';
import type { StrikeBook } from '../watchdog/strike-book.ts';
import { versionKey, type Assignment, type Placement, type Quarantined } from './assignment.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import { IdleSweep } from './idle-sweep.ts';
import { nextToLoad } from './load-order.ts';
import { Losses } from './losses.ts';
import { MemoryRoom } from './memory-room.ts';
import { OnDemand } from './on-demand.ts';
import { RetiredStats } from './retired-stats.ts';
import { ServedVersion } from './served-version.ts';
import { ServingTable } from './serving-table.ts';
import type { VersionPorts } from './version-ports.ts';
import type { VersionState } from './version-state.ts';
import { VersionThreads } from './version-threads.ts';

export interface VersionSetPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly cache: ArtifactCache;
  readonly threads: number;
  /** Those that this runtime offers. */
  readonly devices: readonly Device[];
  /** Threads whose crashes are written down, and what earlier ones came to. */
  readonly register: ThreadRegister;
  readonly crashNumber: (version: Assignment) => number;
  readonly strikes: Pick<StrikeBook, 'heldBack' | 'isStruck' | 'suspectUntil'>;
  readonly defer: (fn: () => void) => void;
  /** Memory that versions may hold together, in bytes. */
  readonly budgetBytes: number;
  /** How long a version stays that is not placed and that nobody asks for, in milliseconds. */
  readonly demandIdleMs: number;
  /** What it takes to load a version that is not placed here; throws SluiceErrors. */
  readonly getAssignment: (model: string, version: number) => Promise<Assignment>;
  /** What sequences get to end when their version makes room for others, in milliseconds. */
  readonly evictionDrainMs: number;
  /** Resident bytes of the process. */
  readonly residentBytes: () => number;
  /** Told after every change of a version's state, once the table shows it. */
  readonly changed: () => void;
}

/** A load that failed for want of something (registry, disk) is tried again after this long, with jitter. */
const retryMs = 5_000;
/** When a request may come again whose version was taken away under it, in milliseconds. */
const retryAfterMs = 1_000;

/** Settings too: those of an old snapshot may be fewer than the registry sends, and what is loaded keeps its own. */
const runsAlike = (one: Assignment, other: Assignment): boolean =>
  one.digest === other.digest && one.notKnown === other.notKnown && isDeepStrictEqual(one.serving, other.serving);

/** States that end a load, or follow one: nothing more comes of the placement by itself. */
const ends: ReadonlySet<VersionState> = new Set(['ready', 'failed', 'evicting', 'evicted'] as const);

/**
 * The versions of this runtime: follows the placement, loads one version at a time within the memory budget, brings what
 * requests ask for, keeps the table.
 */
export class VersionSet {
  /** Replaced at every change; requests read it once. */
  table = new ServingTable([]);
  /** The revision that was applied last; 0 before the first. */
  revision = 0;
  /** Requests for versions that are not loaded. */
  readonly onDemand: OnDemand;
  /** Names this life of the runtime: what its versions count begins with it. */
  readonly epoch: string;
  readonly #ports: VersionSetPorts;
  readonly #versions = new Map<string, ServedVersion>();
  /** Withdrawn versions that still finish requests. */
  readonly #leaving = new Map<ServedVersion, Promise<void>>();
  readonly #retired = new RetiredStats();
  readonly #losses: Losses;
  readonly #room: MemoryRoom;
  readonly #threads: VersionThreads;
  readonly #sweep: IdleSweep;
  readonly #retries = new Map<string, Timer>();
  #loading: Promise<void> | undefined;
  #placement: Placement | undefined;
  #closed = false;
  /** Versions that were loaded because a request waited for them. */
  demandLoads = 0;
  /** The process is about to be ended: nothing is loaded any more. */
  #ending = false;

  constructor(ports: VersionSetPorts) {
    this.#ports = ports;
    this.epoch = Buffer.from(ports.random.bytes(16)).toString('hex');
    this.#losses = new Losses(ports.clock);
    this.onDemand = new OnDemand({
      clock: ports.clock,
      table: () => this.table,
      version: (key) => this.#versions.get(key),
      getAssignment: ports.getAssignment,
      add: (assignment) => this.#addAtOnce(assignment),
      loadNext: () => this.#loadNext(),
      defer: ports.defer,
    });
    this.#threads = new VersionThreads(ports.register);
    const { budgetBytes } = ports;
    this.#sweep = new IdleSweep({
      clock: ports.clock,
      idleMs: ports.demandIdleMs,
      versions: () => this.versions().filter(({ hold, state }) => hold === 'demand' && ends.has(state)),
      withdraw: (version) => this.#withdraw(version),
      swept: () => this.#refresh(),
    });
    const isAwaited = (key: string): boolean => this.onDemand.isAwaited(key);
    this.#room = new MemoryRoom({ budgetBytes, versions: () => this.versions(), leaving: this.#leaving, isAwaited });
  }

  /** True once every version of the first placement is ready, has failed or has no room. */
  get settled(): boolean {
    if (!this.#placement) return false;
    return this.versions().every((version) => version.hold === 'demand' || ends.has(version.state));
  }

  versions(): readonly ServedVersion[] {
    return [...this.#versions.values()];
  }

  /** Withdrawn versions that still finish requests or give their memory back. */
  leaving(): readonly ServedVersion[] {
    return [...this.#leaving.keys()];
  }

  /** Those that are placed, then those that leave; of one number only the one that was placed last. */
  counted(): readonly ServedVersion[] {
    const byKey = new Map<string, ServedVersion>();
    for (const version of [...this.leaving(), ...this.versions()]) byKey.set(version.key, version);
    return [...byKey.values()];
  }

  /** What is to be known of memory, and of what requests bring. */
  get memory() {
    const { budgetBytes, heldBytes, evictions } = this.#room;
    return { budgetBytes, heldBytes, evictions, demandLoads: this.demandLoads, waitingRequests: this.onDemand.count };
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

  /** What the versions hold of the memory budget, in bytes. */
  get memoryBytes(): number {
    return this.#room.heldBytes;
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
    this.onDemand.news();
    this.#refuse(placement.quarantined ?? []);
    for (const [key, version] of this.#versions) {
      const assignment = wanted.get(key);
      if (assignment && runsAlike(assignment, version.assignment)) this.#update(version, assignment);
      // What requests brought is nobody's to place.
      else if (assignment || version.hold !== 'demand') this.#withdraw(version);
    }
    const now = this.#ports.clock.monotonic();
    for (const [key, assignment] of wanted) if (!this.#versions.has(key)) this.#add(assignment, now);
    this.#refresh();
    this.#loadNext();
  }

  /** What requests brought goes as well, and what is on its way here does not come. */
  #refuse(quarantined: readonly Quarantined[]): void {
    for (const of of quarantined) {
      const key = versionKey(of);
      this.onDemand.refuse(key, quarantinedError(of));
      const version = this.#versions.get(key);
      if (version?.hold === 'demand') this.#withdraw(version);
    }
  }

  #update(version: ServedVersion, assignment: Assignment): void {
    version.update(assignment);
    if (version.hold === 'kept') version.demand();
  }

  #add(assignment: Assignment, wantedMs: number): void {
    const { clock, logger, cache, devices, defer, residentBytes, evictionDrainMs } = this.#ports;
    const ports: VersionPorts = {
      ...{ clock, logger, cache, devices, defer, residentBytes, evictionDrainMs },
      threads: this.#ports.threads,
      ...this.#threadPorts(),
      neededFiles: () => this.neededFiles(),
      changed: (version) => this.#changed(version),
      sessionLost: (version) => this.#afterLoss(version),
    };
    const version = new ServedVersion(assignment, ports, wantedMs, this.#retired.take(assignment));
    this.#versions.set(version.key, version);
  }

  /** A request brought it. */
  #addAtOnce(assignment: Assignment): void {
    this.#add(assignment, this.#ports.clock.monotonic());
    this.#refresh();
    this.#loadNext();
  }

  #threadPorts(): Pick<VersionPorts, 'sharedThread' | 'deviceThread' | 'threadPorts'> {
    const { crashNumber, strikes } = this.#ports;
    return {
      sharedThread: () => this.#threads.ofSmall(),
      deviceThread: (device) => this.#threads.ofDevice(device),
      threadPorts: {
        newThread: () => this.#threads.own(),
        crashNumber,
        heldBack: (version) => strikes.heldBack(version),
        suspectUntil: (version) => strikes.suspectUntil(version),
        suspectsThread: () => this.#threads.ofSuspects(),
      },
    };
  }

  /** To be called when the registry has heard of what a version did: one that was held back is loaded. */
  mayLoad(of: { readonly model: string; readonly version: number }): void {
    const version = this.#versions.get(versionKey(of));
    if (version?.state !== 'failed' || this.#ports.strikes.heldBack(version.assignment) !== undefined) return;
    version.retry();
    this.#loadNext();
  }

  /** A native call of a version does not end, and the process will: its requests get `error`, and nothing is loaded any more. */
  hang(of: { readonly model: string; readonly version: number }, error: SluiceError): void {
    this.#ending = true;
    this.onDemand.end();
    const key = versionKey(of);
    for (const version of [...this.#versions.values(), ...this.#leaving.keys()])
      if (version.key === key) version.hang(error);
  }

  #withdraw(version: ServedVersion): void {
    this.#versions.delete(version.key);
    this.#retired.keep(version.assignment, version.stats);
    this.#losses.forget(version.key);
    this.#retries.get(version.key)?.cancel();
    this.#retries.delete(version.key);
    this.onDemand.fail(version.key, unavailable(`${nameOf(version)} was taken away; try again`, { retryAfterMs }));
    const leaving = this.#leave(version).catch((error: unknown) => {
      this.#ports.logger.error({ err: error, version: version.key }, 'a version could not be unloaded cleanly');
    });
    this.#leaving.set(version, leaving);
    void leaving.then(() => {
      this.#leaving.delete(version);
      this.#loadNext();
    });
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
    this.table = new ServingTable(this.versions(), this.leaving());
    this.#ports.changed();
  }

  #changed(version: ServedVersion): void {
    this.#refresh();
    const { key, state, engine, failure } = version;
    if (this.#versions.get(key) !== version) return;
    if (state === 'ready' && engine) this.onDemand.start(key);
    else if (failure && (state === 'failed' || state === 'evicted')) this.onDemand.fail(key, toldOf(version, failure));
    // Somebody asked for it while it gave way, or an alias came.
    else if (state === 'evicted' && (version.hold === 'kept' || this.onDemand.isAwaited(key))) version.demand();
    if (version.hold === 'demand' && !this.#closed) this.#sweep.plan();
  }

  /**
   * Loads one version after the other: two at once would need the memory of both at their peak. `nextToLoad` has the order.
   */
  #loadNext(): void {
    if (this.#loading || this.#closed || this.#ending) return;
    for (const version of this.versions()) {
      if (version.state === 'failed' && version.noRoom && this.#room.plan(version).kind !== 'no-room') version.retry();
    }
    const next = nextToLoad(
      this.versions(),
      (key) => this.onDemand.isAwaited(key),
      ({ assignment }) => this.#ports.strikes.isStruck(assignment),
    );
    if (!next) return;
    this.#loading = this.#load(next)
      .catch((error: unknown) => this.#ports.logger.error({ err: error, version: next.key }, 'a load went wrong'))
      .then(() => {
        this.#loading = undefined;
        if (next.state === 'failed' && !next.noRoom) this.#retryLater(next);
        this.#loadNext();
      });
  }

  async #load(version: ServedVersion): Promise<void> {
    // Nobody gives way to what cannot be loaded.
    const refusal = version.whyNot() ? undefined : await this.#room.make(version);
    if (version.state !== 'assigned') return;
    if (refusal) {
      version.refuse(refusal);
      return;
    }
    if (this.onDemand.isAwaited(version.key)) this.demandLoads += 1;
    await version.load();
  }

  #retryLater(version: ServedVersion): void {
    if (this.#versions.get(version.key) !== version || !version.mayPass || version.hold === 'demand') return;
    const delay = retryMs * (0.5 + this.#ports.random.uniform());
    const retry = (): void => {
      version.retry();
      this.#loadNext();
    };
    this.#retries.get(version.key)?.cancel();
    this.#retries.set(version.key, this.#ports.clock.schedule(delay, retry));
  }

  #afterLoss(version: ServedVersion): void {
    if (this.#versions.get(version.key) !== version || this.#ending) return;
    if (!this.#losses.add(version.key)) {
      this.#ports.logger.error({ version: version.key }, 'a version lost its session too often and stays failed');
      this.#loadNext();
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
    this.onDemand.end();
    this.#sweep.stop();
    for (const version of [...this.versions(), ...this.leaving()]) version.endSequences();
    for (const version of this.versions()) this.#withdraw(version);
    this.#refresh();
    await this.idle();
  }
}

const nameOf = ({ assignment }: ServedVersion): string => `${assignment.model} version ${assignment.version}`;

/** What those are told that wait for a version that could not be loaded. */
function toldOf(version: ServedVersion, { kind, message, retryAfterMs: after }: SluiceError): SluiceError {
  const text = `${nameOf(version)} is not loaded: ${message}`;
  if (kind !== 'resource-exhausted') return unavailable(text);
  return new SluiceError(kind, text, { retryAfterMs: after ?? retryAfterMs });
}
