import type { RegistryLink } from './registry/registry-link.ts';
import type { ByteBudget } from './rpc/predict.ts';
import type { Device } from './runtime/devices.ts';
import type { ServedVersion } from './versions/served-version.ts';
import type { StrikeBook } from './watchdog/strike-book.ts';
import type { VersionSet } from './versions/version-set.ts';

export interface AdminSources {
  readonly versions: VersionSet;
  readonly link: RegistryLink;
  readonly budget: ByteBudget;
  readonly threads: number;
  readonly devices: readonly Device[];
  readonly address: string;
  readonly book: Pick<StrikeBook, 'strikes' | 'suspicions'>;
}

/** What the Admin RPC shows; the README describes the fields. */
export function adminState({ versions, link, budget, threads, devices, address, book }: AdminSources): unknown {
  return {
    address,
    ready: link.ready,
    registryConnected: link.connected,
    appliedRevision: versions.revision,
    threads,
    devices: devices.map(({ name, state, detail }) => ({ name, state, detail })),
    heldRequestBytes: budget.held,
    maxQueuedBytes: budget.limit,
    memory: versions.memory,
    strikes: book.strikes.map(({ atMs, ...strike }) => ({ ...strike, at: new Date(atMs).toISOString() })),
    suspicions: book.suspicions.map(({ versions: of, atMs }) => ({ versions: of, at: new Date(atMs).toISOString() })),
    versions: [...versions.versions(), ...versions.leaving()].map(versionState),
  };
}

function versionState(version: ServedVersion): unknown {
  const { assignment, stats, threading } = version;
  return {
    model: assignment.model,
    version: assignment.version,
    state: version.state,
    reason: version.reason,
    hold: version.hold,
    memoryBytes: version.holdsMemory ? version.memoryBytes : 0,
    since: new Date(version.sinceMs).toISOString(),
    aliases: assignment.aliases,
    champion: assignment.champion,
    digest: assignment.digest,
    threads: threading.threads,
    devices: version.devices,
    sharesThread: threading.sharesThread,
    isSuspect: threading.suspectUntil !== undefined,
    maxBatchSize: version.serving.maxBatchSize,
    batchingOffReason: assignment.serving.batchingOffReason,
    queue: version.live?.queue(),
    stateBytes: version.live?.sequences?.stateBytes,
    running: version.running(),
    requests: { succeeded: stats.successes, failed: stats.failures },
    rows: stats.rowsRun,
    batches: stats.executions,
  };
}
