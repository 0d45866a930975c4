import { registryService, watchService } from '@sluice/contracts/services';
import type { DeviceState } from '@sluice/contracts/gen/sluice/registry/v1/DeviceState';
import type { LoadedVersion } from '@sluice/contracts/gen/sluice/registry/v1/LoadedVersion';
import type { LoadState } from '@sluice/contracts/gen/sluice/registry/v1/LoadState';
import type { RenewRuntimeLeaseRequest } from '@sluice/contracts/gen/sluice/registry/v1/RenewRuntimeLeaseRequest';
import type { RenewRuntimeLeaseResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/RenewRuntimeLeaseResponse';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { createRpcClient } from '@sluice/rpc/client';
import { Replicas } from '@sluice/rpc/replicas';
import type { TlsSource } from '@sluice/rpc/tls/source';
import { wholeUpdates } from '@sluice/rpc/whole-updates';
import type { LeaseReport, RegistryPort, ReportedVersion } from '../registry/ports.ts';
import type { Device } from '../runtime/devices.ts';
import type { Assignment, PlacementChange } from '../versions/assignment.ts';
import type { Strike } from '../watchdog/judge.ts';
import { decodeAssignment, decodeChange, protocolVersion } from './decode-assignment.ts';

/** How this runtime appears to the registry. */
export interface RuntimeIdentity {
  readonly runtimeId: string;
  readonly pool: string;
  /** host:port of its inference port, as routers reach it. */
  readonly address: string;
  readonly ttlMs: number;
  readonly memoryBudgetBytes: number;
  /** What it offers. */
  readonly devices: readonly Pick<Device, 'name' | 'state' | 'detail'>[];
}

const deviceStates = {
  available: 'DEVICE_STATE_AVAILABLE',
  missing: 'DEVICE_STATE_MISSING',
} as const satisfies Record<Device['state'], DeviceState>;

const loadStates = {
  loading: 'LOAD_STATE_LOADING',
  ready: 'LOAD_STATE_READY',
  failed: 'LOAD_STATE_FAILED',
  unloading: 'LOAD_STATE_UNLOADING',
  evicted: 'LOAD_STATE_EVICTED',
} as const satisfies Record<ReportedVersion['state'], LoadState>;

/** A question of one row: who waits for the answer has a deadline of its own. */
const assignmentTimeoutMs = 5_000;

function encodeStrike(strike: Strike, { runtimeId, pool }: RuntimeIdentity) {
  const { id: strikeId, model, version, digest, kind, atMs } = strike;
  const at = { seconds: String(Math.floor(atMs / 1000)), nanos: Math.floor(atMs % 1000) * 1e6 };
  return { strikeId, runtimeId, pool, model, version: String(version), digest, kind, at };
}

/**
 * A registry over gRPC; with several addresses, the one that answers: a renewal that is not answered in its time takes
 * everything else along to the next. `close` ends what is under way.
 */
export function grpcRegistry(
  addresses: readonly string[],
  identity: () => RuntimeIdentity,
  options: { readonly clock: Clock; readonly tls?: TlsSource | undefined },
): RegistryPort & { close(): void } {
  const replicas = new Replicas(addresses);
  const watches = createRpcClient(watchService, replicas, options);
  const files = createRpcClient(registryService, replicas, options);

  async function* watchAssignments(resumeToken: number, signal: AbortSignal): AsyncIterable<PlacementChange> {
    const { runtimeId, pool, ttlMs, devices } = identity();
    const offered = devices.map(({ name }) => name);
    const request = { runtimeId, pool, resumeToken: String(resumeToken), protocolVersion, devices: offered };
    const updates = wholeUpdates(
      watches.watchAssignments(request, { signal, firstAnswerMs: ttlMs }),
      (parts, last) => ({
        ...last,
        assignments: parts.flatMap((part) => part.assignments),
        removed: parts.flatMap((part) => part.removed),
        quarantined: parts.flatMap((part) => part.quarantined),
      }),
    );
    for await (const message of updates) yield decodeChange(message);
  }

  async function getAssignment(model: string, version: number): Promise<Assignment> {
    const { runtimeId, pool } = identity();
    const request = { model, version: String(version), runtimeId, pool };
    const { assignment } = await watches.getAssignment(request, { timeoutMs: assignmentTimeoutMs });
    if (assignment) return decodeAssignment(assignment);
    throw new SluiceError('data-loss', `the registry sent nothing of ${model} version ${version}`);
  }

  async function* download(sha256: string, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const request = { sha256, offset: String(offset) };
    for await (const message of files.downloadArtifact(request, { signal })) yield message.chunk;
  }

  return {
    watchAssignments,
    renewLease: leaseRenewal((request, timeoutMs) => watches.renewRuntimeLease(request, { timeoutMs }), identity),
    getAssignment,
    download,
    reportStrike: (strike) => watches.reportStrike(encodeStrike(strike, identity()), { timeoutMs: identity().ttlMs }),
    releaseLease: async () => {
      await watches.releaseLease({ holderId: identity().runtimeId }, { timeoutMs: 1_000 });
    },
    close: () => {
      watches.close();
      files.close();
    },
  };
}

/** How leases are renewed. @param renew sends it, to be answered within so many milliseconds */
function leaseRenewal(
  renew: (request: RenewRuntimeLeaseRequest, timeoutMs: number) => Promise<RenewRuntimeLeaseResponse__Output>,
  identity: () => RuntimeIdentity,
): (report: LeaseReport) => Promise<number> {
  /** A registry of before evicted versions refuses leases that have some: until it says otherwise, they are unloading. */
  let takesEvicted = false;
  return async (report) => {
    const { runtimeId, pool, address, ttlMs, memoryBudgetBytes, devices } = identity();
    const versions = report.versions.map((version) => loadedVersion(version, takesEvicted));
    const request = {
      ...{ runtimeId, pool, address, ttlMs, versions },
      appliedRevision: String(report.appliedRevision),
      memoryBudgetBytes: String(memoryBudgetBytes),
      memoryUsedBytes: String(report.memoryUsedBytes),
      devices: devices.map(({ name, state, detail }) => ({ name, state: deviceStates[state], detail })),
    };
    try {
      const answer = await renew(request, ttlMs / 3);
      takesEvicted = answer.takesEvicted;
      return answer.ttlMs;
    } catch (error) {
      // The next one may be answered by another replica, which may be older.
      takesEvicted = false;
      throw error;
    }
  };
}

/** A version as a lease tells of it. @param takesEvicted whether the registry knows that state */
function loadedVersion(
  { model, version, state, reason, devices }: ReportedVersion,
  takesEvicted: boolean,
): LoadedVersion {
  return {
    model,
    version: String(version),
    state: state === 'evicted' && !takesEvicted ? loadStates.unloading : loadStates[state],
    reason,
    devicesAsked: devices.asked,
    devicesGot: devices.got,
  };
}
