import type { Clock, Random } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { Logger } from '@sluice/service-kit/logger';
import type { Placement } from '../versions/assignment.ts';
import type { SnapshotFile } from '../versions/snapshot.ts';
import type { StatusBoard } from '../versions/status-board.ts';
import type { VersionSet } from '../versions/version-set.ts';
import type { VersionState } from '../versions/version-state.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { PlacementWatch } from './placement-watch.ts';
import type { LeaseReport, RegistryPort, ReportedVersion } from './ports.ts';

export interface RegistryLinkPorts {
  readonly registry: RegistryPort;
  readonly versions: VersionSet;
  readonly board: StatusBoard;
  readonly snapshot: Pick<SnapshotFile, 'read' | 'write'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly ttlMs: number;
  readonly registryUp: (up: boolean) => void;
  /** Told when the runtime becomes ready, once. */
  readonly becameReady: () => void;
}

const reported: Readonly<Record<VersionState, ReportedVersion['state']>> = {
  assigned: 'loading',
  downloading: 'loading',
  loading: 'loading',
  warming: 'loading',
  ready: 'ready',
  evicting: 'unloading',
  evicted: 'evicted',
  failed: 'failed',
  draining: 'unloading',
  unloaded: 'unloading',
};

/** Ties the versions of this runtime to the registry: placement in, status and lease out. */
export class RegistryLink {
  /** The first placement is loaded; stays true. */
  ready = false;
  /** A watch is established now. */
  connected = false;
  readonly #ports: RegistryLinkPorts;
  readonly #lease: LeaseKeeper;
  #watch: PlacementWatch | undefined;
  #reporting = false;
  #stopped = false;

  constructor(ports: RegistryLinkPorts) {
    this.#ports = ports;
    const { registry, clock, random, logger, ttlMs, registryUp } = ports;
    this.#lease = new LeaseKeeper({
      registry,
      clock,
      random,
      logger,
      ttlMs,
      report: () => this.#report(),
      renewed: registryUp,
    });
  }

  /** Applies the placement from disk, then follows the registry. */
  async start(): Promise<void> {
    const { snapshot, versions, registry, clock, random, logger, registryUp } = this.#ports;
    let placement: Placement | undefined;
    try {
      const read = await snapshot.read();
      if (read) {
        logger.info({ revision: read.revision, versions: read.assignments.length }, 'placement read from disk');
        versions.apply(read);
      }
      // Only what could be applied is resumed after; else the registry sends everything.
      placement = read;
    } catch (error) {
      logger.error({ err: error }, 'the last placement cannot be used; waiting for the registry');
    }
    this.#watch = new PlacementWatch(
      {
        registry,
        clock,
        random,
        logger,
        apply: (next) => this.#apply(next),
        keep: (next) => this.#keep(next),
        connected: (connected) => {
          this.connected = connected;
          registryUp(connected);
        },
      },
      placement,
    );
    this.#watch.start();
    this.#lease.renewNow();
  }

  #apply(placement: Placement): void {
    const { logger, versions } = this.#ports;
    logger.info({ revision: placement.revision, versions: placement.assignments.length }, 'placement applied');
    versions.apply(placement);
  }

  async #keep(placement: Placement): Promise<void> {
    await this.#ports.snapshot.write(placement);
    // Of what is needed now, not of what this placement needed: a newer one may be loading already.
    await this.#ports.versions.prune();
  }

  /** To be told after every change of a version: routers hear of it first, then the registry. */
  versionsChanged(): void {
    const { versions, board } = this.#ports;
    board.publish({
      draining: board.status.draining,
      versions: versions.versions().map(({ assignment, engine, onDemand, reason }) => ({
        model: assignment.model,
        version: assignment.version,
        ready: engine !== undefined,
        onDemand,
        reason,
      })),
    });
    // Once it leaves, nothing may call it ready again.
    if (!this.ready && !this.#stopped && versions.settled) {
      this.ready = true;
      this.#ports.becameReady();
    }
    if (this.#reporting || this.#stopped) return;
    this.#reporting = true;
    // A turn later: what the watchers were told is on its way before the registry can act on the report.
    setImmediate(() => {
      this.#reporting = false;
      this.#lease.renewNow();
    });
  }

  #report(): LeaseReport {
    const { versions } = this.#ports;
    return {
      appliedRevision: versions.revision,
      versions: versions.versions().map((version) => ({
        model: version.assignment.model,
        version: version.assignment.version,
        state: reported[version.state],
        reason: version.reason,
        devices: version.devices,
      })),
      memoryUsedBytes: versions.memoryBytes,
    };
  }

  /** Tells routers that nothing new should come, and gives the lease back. */
  async drain(): Promise<void> {
    const { board } = this.#ports;
    this.#stopped = true;
    board.publish({ ...board.status, draining: true });
    await this.#watch?.stop().catch((error: unknown) => {
      this.#ports.logger.warn({ reason: SluiceError.from(error).message }, 'the watch did not end cleanly');
    });
    await this.#lease.release();
  }

  /** Ends what `drain` has not. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watch?.stop();
  }
}
