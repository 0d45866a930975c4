import { readFile } from 'node:fs/promises';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { deviceGroupsOf, describeGroups } from '@sluice/domain/device';
import { seedOf } from '@sluice/domain/generated-rows';
import type { InstanceGroup, ServingConfig } from '@sluice/domain/signature';
import { Sampler } from '@sluice/resilience/sampler';
import type { Logger } from '@sluice/service-kit/logger';
import { checkRuntimeDatatype } from '../runtime/datatypes.ts';
import { cpuSession, type Device } from '../runtime/devices.ts';
import type { SessionSettings } from '../runtime/messages.ts';
import { SessionPool } from '../runtime/session-pool.ts';
import type { WorkerHost } from '../runtime/worker-host.ts';
import { intraOpThreadsOf, planSessions, type SessionGroup, type SessionPlan } from '../runtime/session-plan.ts';
import { cpuInstances, planThreads, type ThreadPlan } from '../runtime/threads.ts';
import { boundedServing } from '../serving/batch-bound.ts';
import { checkAgainstGraph } from '../serving/buckets.ts';
import { VersionEngine } from '../serving/version-engine.ts';
import { VersionStats } from '../serving/version-stats.ts';
import { warmUp, warmUpAgain, type WarmUpOptions, type WarmUpReport } from '../serving/warm-up.ts';
import type { ArtifactCache, Needed } from './artifact-cache.ts';
import { versionKey, type Assignment } from './assignment.ts';
import { hasOpenCost, shareable, Slowness } from './shareable.ts';
import { canTake, nextState, type VersionEvent, type VersionState } from './version-state.ts';

/** What a version needs from outside. */
export interface VersionPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cache: ArtifactCache;
  /** The versions whose files must stay. */
  readonly neededFiles: Needed;
  /** Cores that sessions of one version may use. */
  readonly threads: number;
  /** Those that this runtime offers. */
  readonly devices: readonly Device[];
  /** The thread that small, quick versions share. */
  readonly sharedThread: () => WorkerHost;
  /** The thread that all sessions on a device share, for a device that needs it. */
  readonly deviceThread: (device: string) => WorkerHost;
  readonly defer: (fn: () => void) => void;
  /** Told after every change of state. */
  readonly changed: (version: ServedVersion) => void;
  /** Told when a session ended by itself; the version is `failed` by then. */
  readonly sessionLost: (version: ServedVersion) => void;
}

/** How long requests in flight get when a version is withdrawn: longer than any that has a sane deadline. */
const drainMs = 600_000;

/** One placed version on this runtime, through its states. */
export class ServedVersion {
  readonly key: string;
  readonly stats: VersionStats;
  state: VersionState = 'assigned';
  /** Why it failed; '' otherwise. */
  reason = '';
  /** Present while it is ready or draining. */
  engine: VersionEngine | undefined;
  threads: ThreadPlan | undefined;
  /** It runs in the thread that small, quick versions share. */
  sharesThread = false;
  /** Nobody may delete its files: until it is unloaded. */
  needsFiles = true;
  /** Clock.now() of the last change of state. */
  sinceMs: number;
  #assignment: Assignment;
  readonly #ports: VersionPorts;
  readonly #logger: Logger;
  readonly #failures: Sampler;
  readonly #abort = new AbortController();
  #pool: SessionPool | undefined;
  #groups: readonly SessionGroup[] = [];
  #failure: SluiceError | undefined;
  /** It lost a session before: from then on it has a thread of its own, so that it can harm itself alone. */
  #alone = false;
  /** A session that ended before the load that made it: the load fails at its next step. */
  #lostInLoad: SluiceError | undefined;
  /** Counts loads; what a session of an earlier one has to say is of no interest. */
  #loads = 0;
  /** It is getting a thread of its own while it serves. */
  #moving: Promise<void> | undefined;
  #withdrawn: Promise<void> | undefined;
  #loading: Promise<void> | undefined;

  /** @param stats what it has counted before it was withdrawn, if it was */
  constructor(assignment: Assignment, ports: VersionPorts, stats?: VersionStats) {
    this.key = versionKey(assignment);
    this.#assignment = assignment;
    this.#ports = ports;
    this.stats = stats ?? new VersionStats(this.serving.maxBatchSize);
    this.sinceMs = ports.clock.now();
    this.#failures = new Sampler({ clock: ports.clock });
    this.#logger = ports.logger.child({ model: assignment.model, version: assignment.version });
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  /** How it is run: what was asked for, with batches bounded by memory. */
  get serving(): ServingConfig {
    return boundedServing(this.#assignment.signature, this.#assignment.serving);
  }

  /** Where its sessions are; none while it is not loaded. */
  get sessions(): readonly InstanceGroup[] {
    if (!this.#pool) return [];
    return this.#groups.map(({ device, count }) => ({ device: device.name, count }));
  }

  /** The devices that were asked for, and those that its sessions are on, for people. */
  get devices(): { readonly asked: string; readonly got: string } {
    const { serving } = this.#assignment;
    const mixed = this.#pool && serving.cpuOperators ? ', some operators perhaps on cpu' : '';
    return { asked: describeGroups(deviceGroupsOf(serving)), got: describeGroups(this.sessions) + mixed };
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
      this.#step('start');
      const { notKnown } = this.#assignment;
      if (notKnown !== undefined) throw new SluiceError('failed-precondition', notKnown);
      const graphFile = await this.#ports.cache.provide(this.#assignment, this.#abort.signal);
      this.#goOn('fetched');
      const pool = await this.#makePool(graphFile);
      this.#pool = pool;
      this.#goOn('loaded');
      const warm = await warmUp(pool, this.#assignment.signature, this.serving, this.#warmUpOptions());
      if (warm.note !== '') this.#logger.warn({ note: warm.note }, 'the version is served without a warm-up');
      this.#abort.signal.throwIfAborted();
      this.#pool = await this.#settle(pool, warm, graphFile);
      this.#abort.signal.throwIfAborted();
      this.engine = this.#makeEngine(this.#pool, warm, graphFile);
      this.#goOn('warmed');
      const ms = Math.round(this.#ports.clock.monotonic() - started);
      const { sharesThread, devices } = this;
      this.#logger.info({ ms, ...this.threads, devices, sharesThread, warmUpRuns: warm.runs }, 'version loaded');
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
    this.engine = undefined;
    await this.#closePool();
    if (this.#abort.signal.aborted) return;
    const error = SluiceError.from(thrown);
    this.#logger.error({ err: error.kind === 'internal' ? thrown : error, state: this.state }, 'version not loaded');
    this.#failure = error;
    if (canTake(this.state, 'fail')) this.#step('fail', error.message);
    if (this.#lostInLoad) this.#ports.sessionLost(this);
  }

  /** Opens sessions of this load. */
  #open(graphFile: string, { groups, threads }: SessionPlan, host?: WorkerHost): Promise<SessionPool> {
    const sessions = groups.flatMap(({ device, count }) => {
      const intraOpThreads = intraOpThreadsOf(device, threads);
      return Array.from({ length: count }, (): SessionSettings => ({
        graphFile,
        intraOpThreads,
        spinning: false,
        device,
      }));
    });
    const load = this.#loads;
    const { deviceThread } = this.#ports;
    const hostOf = ({ device }: SessionSettings) => host ?? (device?.oneThread ? deviceThread(device.name) : undefined);
    return SessionPool.loadEach(sessions, (error) => this.#lost(error, load), hostOf);
  }

  /** Opens sessions on the CPU for a version that was warmed up in others. */
  async #openWarm(graphFile: string, threads: ThreadPlan, warm: WarmUpReport, host?: WorkerHost): Promise<SessionPool> {
    const groups = [{ device: cpuSession, count: threads.instances }];
    const pool = await this.#open(graphFile, { groups, threads }, host);
    try {
      await warmUpAgain(pool, this.#assignment.signature, this.serving, warm, this.#warmUpOptions());
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  async #makePool(graphFile: string): Promise<SessionPool> {
    const { serving, signature } = this.#assignment;
    const plan = planSessions(serving, this.#ports.threads, this.#ports.devices);
    for (const tensor of [...signature.inputs, ...signature.outputs])
      checkRuntimeDatatype(tensor.datatype, `tensor "${tensor.name}"`);
    this.threads = plan.threads;
    this.#groups = plan.groups;
    const pool = await this.#open(graphFile, plan);
    try {
      checkAgainstGraph('input', signature.inputs, pool.inputs);
      checkAgainstGraph('output', signature.outputs, pool.outputs);
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  #warmUpOptions(): WarmUpOptions {
    return { seed: seedOf(this.#assignment.digest), signal: this.#abort.signal, clock: this.#ports.clock };
  }

  async #mayShare(warm: WarmUpReport, graphFile: string): Promise<boolean> {
    const { files, serving, signature } = this.#assignment;
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    const quick = warm.runMs !== undefined && warm.runMs <= shareable.runMs;
    const otherDevices = this.#groups.some(({ device }) => device.name !== 'cpu');
    if (this.#alone || !quick || bytes > shareable.bytes || otherDevices || cpuInstances(serving) > 1) return false;
    return !hasOpenCost(signature, await readFile(graphFile));
  }

  /** Moves a small, quick version from the thread that it was loaded in to the shared one. */
  async #settle(pool: SessionPool, warm: WarmUpReport, graphFile: string): Promise<SessionPool> {
    this.sharesThread = await this.#mayShare(warm, graphFile);
    if (!this.sharesThread) return pool;
    const threads: ThreadPlan = { instances: 1, intraOpThreads: 1, note: '' };
    const shared = await this.#openWarm(graphFile, threads, warm, this.#ports.sharedThread());
    await pool.close();
    this.threads = threads;
    this.#groups = [{ device: cpuSession, count: threads.instances }];
    return shared;
  }

  /** Gives it a thread of its own while it serves: it is slower than those that share one may be. */
  async #moveOut(engine: VersionEngine, graphFile: string, warm: WarmUpReport): Promise<void> {
    const shared = this.#pool;
    this.#alone = true;
    const threads = planThreads(this.serving, this.#ports.threads);
    const pool = await this.#openWarm(graphFile, { ...threads, instances: 1 }, warm);
    if (this.engine !== engine || this.state !== 'ready') {
      await pool.close();
      return;
    }
    engine.usePool(pool);
    this.#pool = pool;
    this.threads = { ...threads, instances: 1 };
    this.sharesThread = false;
    this.#logger.info({ ...this.threads }, 'the version is too slow to share a thread and has its own now');
    this.#ports.changed(this);
    await shared?.close();
  }

  /** Looks at how long batches take, while it shares a thread. */
  #watchSpeed(engine: () => VersionEngine, graphFile: string, warm: WarmUpReport): (inferUs: number) => void {
    const slowness = new Slowness();
    return (inferUs) => {
      if (!this.sharesThread || this.#moving || !slowness.ran(inferUs)) return;
      this.#moving = this.#moveOut(engine(), graphFile, warm)
        .catch((error: unknown) => {
          if (this.#abort.signal.aborted) return;
          this.#logger.warn({ err: error }, 'the version stays in the shared thread');
        })
        .finally(() => (this.#moving = undefined));
    };
  }

  #makeEngine(pool: SessionPool, warm: WarmUpReport, graphFile: string): VersionEngine {
    const { model, version, signature } = this.#assignment;
    const { serving } = this;
    if (serving.maxBatchSize !== this.#assignment.serving.maxBatchSize) {
      this.#logger.warn(
        { maxBatchSize: serving.maxBatchSize },
        'rows are so wide that batches are kept smaller than asked for',
      );
    }
    const engine: VersionEngine = new VersionEngine({
      model,
      version,
      signature,
      serving,
      pool,
      knownOutputs: warm.knownOutputs,
      stats: this.stats,
      clock: this.#ports.clock,
      defer: this.#ports.defer,
      onDefect: (thrown) => this.#logger.error({ err: thrown }, 'a request could not be answered'),
      modelFailed: (error) => this.#modelFailed(error),
      ran: this.#watchSpeed(() => engine, graphFile, warm),
    });
    return engine;
  }

  /** Says which operator fails, now and then and without the words that quote the input. */
  #modelFailed({ cause }: SluiceError): void {
    const unlogged = this.#failures.take(String(cause));
    if (unlogged !== undefined) this.#logger.warn({ what: cause, unlogged }, 'the model failed on an input');
  }

  #lost(error: SluiceError, load: number): void {
    this.#logger.error({ err: error }, 'a session ended by itself');
    if (load !== this.#loads) return;
    this.#alone = true;
    if (this.state !== 'ready') {
      this.#lostInLoad = error;
      return;
    }
    const engine = this.engine;
    this.engine = undefined;
    this.#step('fail', error.message);
    void engine?.drain(0);
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

  /** Takes nothing new, lets what it has finish, and gives the memory back. */
  withdraw(): Promise<void> {
    this.#withdrawn ??= this.#withdraw();
    return this.#withdrawn;
  }

  async #withdraw(): Promise<void> {
    this.#abort.abort(new SluiceError('cancelled', 'the version was withdrawn'));
    if (canTake(this.state, 'withdraw')) this.#step('withdraw');
    await this.#loading;
    const report = await this.engine?.drain(drainMs);
    if (report && report.failed + report.runningBatches > 0)
      this.#logger.warn({ ...report }, 'version unloaded with requests left');
    this.engine = undefined;
    await this.#moving;
    await this.#closePool();
    if (canTake(this.state, 'drained')) this.#step('drained');
    this.needsFiles = false;
    await this.#ports.cache.drop(this.#assignment, this.#ports.neededFiles);
    this.#logger.info('version unloaded');
  }

  async #closePool(): Promise<void> {
    const pool = this.#pool;
    await pool?.close();
    // Not before: until then its batches are still running.
    if (this.#pool === pool) this.#pool = undefined;
  }

  /** Batches that are with its sessions, and for how long the oldest has been. */
  running(): { readonly batches: number; readonly oldestMs: number } {
    return { batches: this.#pool?.inFlight ?? 0, oldestMs: Math.round(this.#pool?.oldestBatchMs() ?? 0) };
  }
}
