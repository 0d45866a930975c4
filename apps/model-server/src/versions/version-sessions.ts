import { deviceGroupsOf, describeGroups } from '@sluice/domain/device';
import { SluiceError } from '@sluice/domain/errors';
import type { InstanceGroup, ServingConfig, Signature } from '@sluice/domain/signature';
import { checkRuntimeDatatype } from '../runtime/datatypes.ts';
import { cpuSession } from '../runtime/devices.ts';
import type { SessionSettings } from '../runtime/messages.ts';
import { intraOpThreadsOf, planSessions, type SessionGroup, type SessionPlan } from '../runtime/session-plan.ts';
import { SessionPool } from '../runtime/session-pool.ts';
import type { ThreadPlan } from '../runtime/threads.ts';
import type { WorkerHost } from '../runtime/worker-host.ts';
import { checkAgainstGraph } from '../serving/buckets.ts';
import { warmUpAgain, type WarmUpOptions, type WarmUpReport } from '../serving/warm-up.ts';
import type { Assignment } from './assignment.ts';
import { mayShare, sharedThreads } from './share-thread.ts';
import type { VersionPorts } from './version-ports.ts';

/** What sessions are made with. */
export type SessionPorts = Pick<VersionPorts, 'threads' | 'devices' | 'sharedThread' | 'deviceThread' | 'threadPorts'>;

/** One load of a version. */
export interface SessionLoad {
  readonly assignment: Assignment;
  /** How it is run, with batches bounded by memory. */
  readonly serving: ServingConfig;
  /** Of the graph: with the tensors that the runtime itself fills. */
  readonly signature: Signature;
  readonly graphFile: string;
  readonly warmUp: WarmUpOptions;
  /** Told when a session of this load ended by itself. */
  readonly lost: (error: SluiceError) => void;
}

/** What a version gets in the thread that small, quick versions share. */
const onSharedThread: SessionPlan = { groups: [{ device: cpuSession, count: 1 }], threads: sharedThreads };

/** The first session of a plan alone. */
const onlyFirst = ({ groups, threads }: SessionPlan): SessionPlan => ({
  groups: [{ ...groups[0]!, count: 1 }],
  threads: { ...threads, instances: 1 },
});

/** The sessions of one version: on which devices they are, in whose threads, and how they move from one to another. */
export class VersionSessions {
  /** Those that it has now. */
  pool: SessionPool | undefined;
  /** Chosen for the last load. */
  threads: ThreadPlan | undefined;
  /** They are in the thread that small, quick versions share. */
  sharesThread = false;
  /** Until when it shares a thread with other suspects, by Clock.now(); undefined when it is none. */
  suspectUntil: number | undefined;
  #groups: readonly SessionGroup[] = [];
  /** From now on it has threads of its own. */
  #alone = false;
  readonly #ports: SessionPorts;

  constructor(ports: SessionPorts) {
    this.#ports = ports;
  }

  /** Where they are; none while it is not loaded. */
  get groups(): readonly InstanceGroup[] {
    return this.pool ? this.#groups.map(({ device, count }) => ({ device: device.name, count })) : [];
  }

  /** Those on the CPU, whose weights are in this process. */
  get onCpu(): number {
    return this.groups.reduce((sum, { device, count }) => sum + (device === 'cpu' ? count : 0), 0);
  }

  /** The devices that were asked for, and those that sessions are on, for people. */
  describeDevices(serving: ServingConfig): { readonly asked: string; readonly got: string } {
    const mixed = this.pool && serving.cpuOperators ? ', some operators perhaps on cpu' : '';
    return { asked: describeGroups(deviceGroupsOf(serving)), got: describeGroups(this.groups) + mixed };
  }

  /** It lost a session: it shares no thread any more, so that it can harm itself alone. */
  beAlone(): void {
    this.#alone = true;
  }

  /** Why a version has nowhere to be: a device that it asks for is not there. */
  whyNowhere(serving: ServingConfig): SluiceError | undefined {
    try {
      planSessions(serving, this.#ports.threads, this.#ports.devices);
      return undefined;
    } catch (error) {
      return SluiceError.from(error);
    }
  }

  /**
   * Opens the graph as often as was asked for, on the devices that were asked for.
   * @throws SluiceError when a device is not there, or the graph does not load or is not what the signature says
   */
  async open(load: SessionLoad): Promise<SessionPool> {
    const { assignment, signature, serving } = load;
    const { threads, devices, threadPorts } = this.#ports;
    const plan = planSessions(serving, threads, devices);
    for (const tensor of [...signature.inputs, ...signature.outputs])
      checkRuntimeDatatype(tensor.datatype, `tensor "${tensor.name}"`);
    this.suspectUntil = threadPorts.suspectUntil(assignment);
    const isSuspect = this.suspectUntil !== undefined;
    // In one thread nothing of two suspects runs at once, so that the next crash has one cause.
    const chosen = isSuspect ? onlyFirst(plan) : plan;
    this.#use(chosen);
    const pool = await this.#make(load, chosen, isSuspect ? threadPorts.suspectsThread : threadPorts.newThread);
    try {
      checkAgainstGraph('input', signature.inputs, pool.inputs);
      checkAgainstGraph('output', signature.outputs, pool.outputs);
    } catch (error) {
      await pool.close();
      throw error;
    }
    this.pool = pool;
    return pool;
  }

  /** Moves a small, quick version on the CPU from the thread that it was loaded in to the shared one. Gives the sessions to use. */
  async settle(load: SessionLoad, pool: SessionPool, warm: WarmUpReport): Promise<SessionPool> {
    const isOnCpu = this.#groups.every(({ device }) => device.name === 'cpu');
    const may = isOnCpu && !this.#alone && this.suspectUntil === undefined;
    this.sharesThread = may && (await mayShare({ ...load, pool, warm }));
    if (!this.sharesThread) return pool;
    const shared = await this.#openWarm(load, onSharedThread, warm, this.#ports.sharedThread);
    await pool.close();
    this.#use(onSharedThread);
    this.pool = shared;
    return shared;
  }

  /**
   * Gives it a thread of its own while it serves.
   * @param use takes the new sessions into use; false when they are not wanted any more
   * @returns the sessions that it had until now, to be closed; undefined when it keeps them
   */
  async moveOut(
    load: SessionLoad,
    warm: WarmUpReport,
    use: (pool: SessionPool) => boolean,
  ): Promise<SessionPool | undefined> {
    const left = this.pool;
    this.#alone = true;
    const { threads, devices, threadPorts } = this.#ports;
    const plan = onlyFirst(planSessions(load.serving, threads, devices));
    // Sessions on such a device have one thread together, and stay there.
    if (plan.groups[0]!.device.oneThread) {
      this.suspectUntil = undefined;
      return undefined;
    }
    const pool = await this.#openWarm(load, plan, warm, threadPorts.newThread);
    if (!use(pool)) {
      await pool.close();
      return undefined;
    }
    this.pool = pool;
    this.#use(plan);
    this.sharesThread = false;
    this.suspectUntil = undefined;
    return left;
  }

  /** Gives the memory back. False when it has got other sessions meanwhile. */
  async close(): Promise<boolean> {
    const { pool } = this;
    await pool?.close();
    // Not before: until then its batches are still running.
    if (this.pool !== pool) return false;
    this.pool = undefined;
    return true;
  }

  #use({ groups, threads }: SessionPlan): void {
    this.#groups = groups;
    this.threads = threads;
  }

  /** @param threadOf gives the thread of a session, unless all on its device share one */
  #make(
    { graphFile, assignment, lost }: SessionLoad,
    { groups, threads }: SessionPlan,
    threadOf: () => WorkerHost,
  ): Promise<SessionPool> {
    const { deviceThread, threadPorts } = this.#ports;
    const crashNumber = threadPorts.crashNumber(assignment);
    const sessions = groups.flatMap(({ device, count }) => {
      const settings = { graphFile, spinning: false, device, crashNumber };
      const intraOpThreads = intraOpThreadsOf(device, threads);
      return Array.from({ length: count }, (): SessionSettings => ({ ...settings, intraOpThreads }));
    });
    return SessionPool.loadEach(sessions, lost, ({ device }) =>
      device?.oneThread ? deviceThread(device.name) : threadOf(),
    );
  }

  /** Opens sessions for a version that was warmed up in others. */
  async #openWarm(
    load: SessionLoad,
    plan: SessionPlan,
    warm: WarmUpReport,
    threadOf: () => WorkerHost,
  ): Promise<SessionPool> {
    const pool = await this.#make(load, plan, threadOf);
    try {
      await warmUpAgain(pool, load.signature, load.serving, warm, load.warmUp);
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }
}
