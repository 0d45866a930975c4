import type { Clock } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import type { Device } from '../runtime/devices.ts';
import type { WorkerHost } from '../runtime/worker-host.ts';
import type { ArtifactCache, Needed } from './artifact-cache.ts';
import type { Assignment } from './assignment.ts';
import type { ServedVersion } from './served-version.ts';

/** What a version needs so that its crashes are its own. */
export interface ThreadPorts {
  readonly newThread: () => WorkerHost;
  /** The version's number in the crash file. */
  readonly crashNumber: (version: Assignment) => number;
  /** Why it is not loaded for now, after what it did to this runtime; undefined when it may be. */
  readonly heldBack: (version: Assignment) => string | undefined;
  /** Until when it shares a thread with other suspects, by Clock.now(); undefined when it is none. */
  readonly suspectUntil: (version: Assignment) => number | undefined;
  readonly suspectsThread: () => WorkerHost;
}

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
  /** How its threads are made, and where their crashes are written down. */
  readonly threadPorts: ThreadPorts;
  readonly defer: (fn: () => void) => void;
  /** What sequences get to end when their version makes room for others, in milliseconds. */
  readonly evictionDrainMs: number;
  /** Resident bytes of the process. */
  readonly residentBytes: () => number;
  /** Told after every change of state. */
  readonly changed: (version: ServedVersion) => void;
  /** Told when a session ended by itself; the version is `failed` by then. */
  readonly sessionLost: (version: ServedVersion) => void;
}
