import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import { seedOf } from '@sluice/domain/generated-rows';
import { graphSignatureOf } from '@sluice/domain/sequence-batching';
import type { InstanceGroup, ServingConfig, Signature } from '@sluice/domain/signature';
import { Sampler } from '@sluice/resilience/sampler';
import type { Logger } from '@sluice/service-kit/logger';
import { mostSessions } from '../runtime/session-plan.ts';
import type { SessionPool } from '../runtime/session-pool.ts';
import { boundedServing } from '../serving/batch-bound.ts';
import type { Engine } from '../serving/engine.ts';
import { VersionStats } from '../serving/version-stats.ts';
import { warmUp, type WarmUpReport } from '../serving/warm-up.ts';
import { versionKey, type Assignment } from './assignment.ts';
import { engineOf } from './engine-of.ts';
import { LiveEngine } from './live-engine.ts';
import type { Hold } from './memory-budget.ts';
import { estimatedBytes, settledBytes } from './memory-estimate.ts';
import { SpeedWatch } from './share-thread.ts';
import type { VersionPorts } from './version-ports.ts';
import { VersionSessions, type SessionLoad } from './version-sessions.ts';
import { canTake, nextState, type VersionEvent, type VersionState } from './version-state.ts';

/** How long requests in flight get when a version is withdrawn: longer than any that has a sane deadline. */
const drainMs = 600_000;

/** States in which a request waits for a version that may be unloaded; in `failed` it is told why. */
const onItsWay: ReadonlySet<VersionState> = new Set([
  ...(['assigned', 'downloading', 'loading', 'warming', 'evicting', 'evicted'] as const),
]);

/** One version on this runtime, through its states. */
export class ServedVersion {
  readonly key: string;
  readonly stats: VersionStats;
  state: VersionState = 'assigned';
  /** Why it failed, or was unloaded; '' otherwise. */
  reason = '';
  /** How long the last load that worked took, in milliseconds, from the first byte that was fetched to the warm-up's end. */
  loadMs: number | undefined;
  /** Nobody may delete its files: until it is unloaded. */
  needsFiles = true;
  /** Clock.now() of the last change of state. */
  sinceMs: number;
  /** What it takes of the memory budget: what a load is estimated to, and once it is loaded what was found. */
  memoryBytes: number;
  /** It has sessions, or is getting them. */
  holdsMemory = false;
  /** When it was last wanted, by a placement or a request that found it unloaded; on the monotonic clock. */
  wantedMs: number;
  /** The last load did not begin: the memory budget has no room for it. */
  noRoom = false;
  #assignment: Assignment;
  readonly #ports: VersionPorts;
  readonly #sessions: VersionSessions;
  readonly #engine = new LiveEngine();
  readonly #logger: Logger;
  readonly #failures: Sampler;
  readonly #abort = new AbortController();
  #failure: SluiceError | undefined;
  /** A session that ended before the load that made it: the load fails at its next step. */
  #lostInLoad: SluiceError | undefined;
  /** Counts loads; what a session of an earlier one has to say is of no interest. */
  #loads = 0;
  #speed: SpeedWatch | undefined;
  #withdrawn: Promise<void> | undefined;
  #evicting: Promise<void> | undefined;
  #loading: Promise<void> | undefined;

  /**
   * @param wantedMs since when it is wanted, on the monotonic clock: the same for all that are placed together
   * @param stats what it has counted before it was withdrawn, if it was
   */
  constructor(assignment: Assignment, ports: VersionPorts, wantedMs: number, stats?: VersionStats) {
    this.key = versionKey(assignment);
    this.#assignment = assignment;
    this.#ports = ports;
    this.#sessions = new VersionSessions(ports);
    this.stats = stats ?? new VersionStats(this.serving.maxBatchSize);
    this.sinceMs = ports.clock.now();
    this.wantedMs = wantedMs;
    this.memoryBytes = this.#estimate();
    this.#failures = new Sampler({ clock: ports.clock });
    this.#logger = ports.logger.child({ model: assignment.model, version: assignment.version });
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  /** How it is run: what was asked for, with batches bounded by memory. */
  get serving(): ServingConfig {
    return boundedServing(this.#graphSignature, this.#assignment.serving);
  }

  /** The tensors of the graph: those of clients, and those that the runtime fills and keeps for sequences. */
  get #graphSignature(): Signature {
    return graphSignatureOf(this.#assignment.signature, this.#assignment.serving.sequenceBatching);
  }

  /** What keeps it here. */
  get hold(): Hold {
    if (this.#assignment.demandOnly) return 'demand';
    return this.#assignment.pinnedOnly ? 'pin' : 'kept';
  }

  /** It is not ready, and requests wait until it is: it may be unloaded, so that they must be able to bring it back. */
  get onDemand(): boolean {
    return this.hold !== 'kept' && onItsWay.has(this.state);
  }

  /** Present while it is ready: requests that name it go there. */
  get engine(): Engine | undefined {
    return this.#engine.named;
  }

  /** Present as long as it serves anything, on its way out too. */
  get live(): Engine | undefined {
    return this.#engine.live;
  }

  /** When it was asked for last, on the monotonic clock. */
  get lastUsedMs(): number {
    return Math.max(this.wantedMs, this.live?.lastRequestMs ?? 0);
  }

  /** Requests are with it, or sequences live on it. */
  get isBusy(): boolean {
    return this.#engine.isBusy;
  }

  /** Sequences live on it: to unload it loses their states. */
  get hasSequences(): boolean {
    return this.#engine.hasSequences;
  }

  /** Why the last load failed. */
  get failure(): SluiceError | undefined {
    return this.#failure;
  }

  #estimate(): number {
    const { serving } = this;
    return estimatedBytes(this.#assignment, serving, mostSessions(serving, this.#ports.threads));
  }

  /** The threads that were chosen for the last load, and whom it shares one with. */
  get threading(): Pick<VersionSessions, 'threads' | 'sharesThread' | 'suspectUntil'> {
    return this.#sessions;
  }

  /** Where its sessions are; none while it is not loaded. */
  get sessions(): readonly InstanceGroup[] {
    return this.#sessions.groups;
  }

  /** The devices that were asked for, and those that its sessions are on, for people. */
  get devices(): { readonly asked: string; readonly got: string } {
    return this.#sessions.describeDevices(this.#assignment.serving);
  }

  /** Takes over aliases and holders; what is loaded never changes under a number. */
  update(assignment: Assignment): void {
    this.#assignment = assignment;
  }

  #step(event: VersionEvent, reason = ''): void {
    this.state = nextState(this.state, event);
    this.reason = reason;
    this.sinceMs = this.#ports.clock.now();
    this.#ports.changed(this);
  }

  /** Why it cannot be loaded here, whatever its files are and however much memory there is; undefined when it may be. */
  whyNot(): SluiceError | undefined {
    const known = this.#assignment.notKnown ?? this.#ports.threadPorts.heldBack(this.#assignment);
    return known === undefined ? this.#sessions.whyNowhere(this.serving) : failedPrecondition(known);
  }

  /** Loads it, from `assigned` to `ready` or `failed`. Never throws. */
  load(): Promise<void> {
    this.#loading = this.#load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #load(): Promise<void> {
    if (!canTake(this.state, 'start')) return;
    const started = this.#ports.clock.monotonic();
    try {
      this.#loads += 1;
      this.#lostInLoad = undefined;
      this.#failure = undefined;
      this.noRoom = false;
      this.holdsMemory = true;
      const before = this.#ports.residentBytes();
      this.#step('start');
      const whyNot = this.whyNot();
      if (whyNot) throw whyNot;
      const graphFile = await this.#ports.cache.provide(this.#assignment, this.#abort.signal);
      this.#goOn('fetched');
      const load = this.#newLoad(graphFile);
      const opened = await this.#sessions.open(load);
      this.#goOn('loaded');
      const warm = await warmUp(opened, this.#graphSignature, this.serving, load.warmUp);
      if (warm.note !== '') this.#logger.warn({ note: warm.note }, 'the version is served without a warm-up');
      this.#abort.signal.throwIfAborted();
      const pool = await this.#sessions.settle(load, opened, warm);
      this.#abort.signal.throwIfAborted();
      pool.serves();
      this.#engine.serve(this.#makeEngine(pool, load, warm));
      const grew = this.#ports.residentBytes() - before;
      this.memoryBytes = settledBytes(this.#assignment, this.memoryBytes, grew, this.#sessions.onCpu);
      this.#goOn('warmed');
      this.loadMs = this.#ports.clock.monotonic() - started;
      const { memoryBytes, devices } = this;
      const { threads, sharesThread } = this.#sessions;
      this.#logger.info(
        { ms: Math.round(this.loadMs), memoryBytes, ...threads, devices, sharesThread, warmUpRuns: warm.runs },
        'version loaded',
      );
    } catch (error) {
      await this.#giveUp(error);
    }
  }

  /** A step that a withdrawal, or the loss of a session, may have made pointless meanwhile. */
  #goOn(event: VersionEvent): void {
    this.#abort.signal.throwIfAborted();
    if (this.#lostInLoad) throw this.#lostInLoad;
    this.#step(event);
  }

  async #giveUp(thrown: unknown): Promise<void> {
    this.#engine.forget();
    await this.#closePool();
    if (this.#abort.signal.aborted) return;
    const error = SluiceError.from(thrown);
    this.#logger.error({ err: error.kind === 'internal' ? thrown : error, state: this.state }, 'version not loaded');
    this.#failure = error;
    if (canTake(this.state, 'fail')) this.#step('fail', error.message);
    if (this.#lostInLoad) this.#ports.sessionLost(this);
  }

  /** What its sessions are made of; what one of an earlier load has to say is of no interest. */
  #newLoad(graphFile: string): SessionLoad {
    const load = this.#loads;
    const warmUpOptions = {
      seed: seedOf(this.#assignment.digest),
      signal: this.#abort.signal,
      clock: this.#ports.clock,
    };
    return {
      ...{ assignment: this.#assignment, signature: this.#graphSignature, serving: this.serving },
      ...{ graphFile, warmUp: warmUpOptions },
      lost: (error) => this.#lost(error, load),
    };
  }

  /** Gives it a thread of its own while it serves: it is slower than those that share one may be. */
  async #moveOut(engine: Engine, load: SessionLoad, warm: WarmUpReport): Promise<void> {
    const left = await this.#sessions.moveOut(load, warm, (pool) => {
      if (this.engine !== engine || this.state !== 'ready') return false;
      pool.serves();
      engine.usePool(pool);
      return true;
    });
    if (!left) return;
    this.#logger.info({ ...this.#sessions.threads }, 'the version no longer shares a thread and has its own now');
    this.#ports.changed(this);
    await left.close();
  }

  /** A native call of it does not end: its requests get `error`, and no new ones are taken. */
  hang(error: SluiceError): void {
    this.#engine.hang(error);
  }

  #makeEngine(pool: SessionPool, load: SessionLoad, warm: WarmUpReport): Engine {
    const { clock, defer } = this.#ports;
    const what = { assignment: this.#assignment, serving: this.serving, pool, warm, stats: this.stats };
    const engine: Engine = engineOf({
      ...{ ...what, clock, defer, logger: this.#logger, failures: this.#failures },
      ran: (inferUs) => speed.ran(inferUs),
    });
    const move = (): Promise<void> =>
      this.#moveOut(engine, load, warm).catch((error: unknown) => {
        if (this.#abort.signal.aborted) return;
        this.#logger.warn({ err: error }, 'the version stays in the shared thread');
      });
    const speed = new SpeedWatch({ clock, sessions: this.#sessions, move });
    this.#speed = speed;
    return engine;
  }

  #lost(error: SluiceError, load: number): void {
    this.#logger.error({ err: error }, 'a session ended by itself');
    if (load !== this.#loads) return;
    this.#sessions.beAlone();
    if (!this.live) {
      this.#lostInLoad = error;
      return;
    }
    this.#engine.lose();
    // On its way out it ends the sooner.
    if (this.state !== 'ready') return;
    this.#engine.forget();
    this.#step('fail', error.message);
    void this.#closePool().then(() => this.#ports.sessionLost(this));
  }

  /** It failed for want of something that may come back: the registry, memory, disk. */
  get mayPass(): boolean {
    const kind = this.#failure?.kind;
    return kind === 'unavailable' || kind === 'resource-exhausted' || kind === 'deadline-exceeded';
  }

  /** Back to `assigned`, to be loaded again. */
  retry(): void {
    if (canTake(this.state, 'retry')) this.#step('retry');
  }

  /** Somebody wants it: a version that gave way gets its turn to be loaded again. */
  demand(): void {
    this.wantedMs = this.#ports.clock.monotonic();
    if (canTake(this.state, 'demand')) this.#step('demand');
  }

  /** There is no room for it. One that is kept has failed until there is; another is loaded when it is asked for again. */
  refuse(error: SluiceError): void {
    this.#failure = error;
    this.noRoom = true;
    this.#logger.warn({ reason: error.message }, 'version not loaded');
    this.#step(this.hold === 'kept' ? 'fail' : 'evict', error.message);
  }

  /** Makes room: lets what it has finish, then gives its memory back. It stays placed, and a request loads it again. */
  evict(): Promise<void> {
    this.#evicting ??= this.#evict().finally(() => (this.#evicting = undefined));
    return this.#evicting;
  }

  async #evict(): Promise<void> {
    const reason = 'unloaded to make room for others; a request loads it again';
    this.#engine.retire();
    this.#step('evict', reason);
    // Somebody waits for the room: sequences, which may live for ever, get less time than requests that run.
    await this.#engine.finish(this.live?.sequences ? this.#ports.evictionDrainMs : drainMs);
    await this.#unload();
    this.#logger.info({ memoryBytes: this.memoryBytes }, 'version unloaded to make room');
    if (canTake(this.state, 'emptied')) this.#step('emptied', reason);
  }

  /** Nobody can send anything any more: sequences end as soon as they have no request. */
  endSequences(): void {
    this.#engine.endSequences();
  }

  /** Takes nothing new, lets what it has finish and its sequences end, and gives the memory back. */
  withdraw(): Promise<void> {
    this.#withdrawn ??= this.#withdraw();
    return this.#withdrawn;
  }

  async #withdraw(): Promise<void> {
    this.#abort.abort(new SluiceError('cancelled', 'the version was withdrawn'));
    if (canTake(this.state, 'withdraw')) this.#step('withdraw');
    await this.#loading;
    await this.#evicting;
    const report = await this.#engine.finish(drainMs);
    if (report && report.failed + report.runningBatches > 0)
      this.#logger.warn({ ...report }, 'version unloaded with requests left');
    await this.#unload();
    if (canTake(this.state, 'drained')) this.#step('drained');
    this.needsFiles = false;
    await this.#ports.cache.drop(this.#assignment, this.#ports.neededFiles);
    this.#logger.info('version unloaded');
  }

  /** After the last request. */
  async #unload(): Promise<void> {
    await this.#speed?.settled();
    await this.#closePool();
    this.#engine.forget();
  }

  async #closePool(): Promise<void> {
    if (!(await this.#sessions.close())) return;
    this.holdsMemory = false;
    // The next load has its peak again.
    this.memoryBytes = this.#estimate();
  }

  /** Batches that are with its sessions, and for how long the oldest has been. */
  running(): { readonly batches: number; readonly oldestMs: number } {
    const { pool } = this.#sessions;
    return { batches: pool?.inFlight ?? 0, oldestMs: Math.round(pool?.oldestBatchMs() ?? 0) };
  }
}
