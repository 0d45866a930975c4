import type { Clock } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import type { WorkerHost } from '../runtime/worker-host.ts';
import type { ArtifactCache, Needed } from './artifact-cache.ts';
import type { ServedVersion } from './served-version.ts';

/** What a version needs from outside. */
export interface VersionPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cache: ArtifactCache;
  /** The versions whose files must stay. */
  readonly neededFiles: Needed;
  /** Cores that sessions of one version may use. */
  readonly threads: number;
  /** The thread that small, quick versions share. */
  readonly sharedThread: () => WorkerHost;
  readonly defer: (fn: () => void) => void;
  /** Resident bytes of the process. */
  readonly residentBytes: () => number;
  /** Told after every change of state. */
  readonly changed: (version: ServedVersion) => void;
  /** Told when a session ended by itself; the version is `failed` by then. */
  readonly sessionLost: (version: ServedVersion) => void;
}
