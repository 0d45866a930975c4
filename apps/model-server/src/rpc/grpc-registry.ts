import { registryService, watchService } from '@sluice/contracts/services';
import type { DeviceState } from '@sluice/contracts/gen/sluice/registry/v1/DeviceState';
import type { LoadedVersion } from '@sluice/contracts/gen/sluice/registry/v1/LoadedVersion';
import type { LoadState } from '@sluice/contracts/gen/sluice/registry/v1/LoadState';
import type { Clock } from '@sluice/domain/clock';
import { createRpcClient } from '@sluice/rpc/client';
import { Replicas } from '@sluice/rpc/replicas';
import { wholeUpdates } from '@sluice/rpc/whole-updates';
import type { LeaseReport, RegistryPort, ReportedVersion } from '../registry/ports.ts';
import type { Device } from '../runtime/devices.ts';
import type { PlacementChange } from '../versions/assignment.ts';
import { decodeChange, protocolVersion } from './decode-assignment.ts';

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
} as const satisfies Record<ReportedVersion['state'], LoadState>;

const loadedVersion = ({ model, version, state, reason, devices }: ReportedVersion): LoadedVersion => ({
  model,
  version: String(version),
  state: loadStates[state],
  reason,
  devicesAsked: devices.asked,
  devicesGot: devices.got,
});

/**
 * A registry over gRPC; with several addresses, the one that answers: a renewal that is not answered in its time takes
 * everything else along to the next. `close` ends what is under way.
 */
export function grpcRegistry(
  addresses: readonly string[],
  identity: () => RuntimeIdentity,
  clock: Clock,
): RegistryPort & { close(): void } {
  const replicas = new Replicas(addresses);
  const watches = createRpcClient(watchService, replicas, { clock });
  const files = createRpcClient(registryService, replicas, { clock });

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
      }),
    );
    for await (const message of updates) yield decodeChange(message);
  }

  async function renewLease(report: LeaseReport): Promise<number> {
    const { runtimeId, pool, address, ttlMs, memoryBudgetBytes, devices } = identity();
    const versions = report.versions.map(loadedVersion);
    const request = {
      runtimeId,
      pool,
      address,
      ttlMs,
      appliedRevision: String(report.appliedRevision),
      versions,
      memoryBudgetBytes: String(memoryBudgetBytes),
      memoryUsedBytes: String(report.memoryUsedBytes),
      devices: devices.map(({ name, state, detail }) => ({ name, state: deviceStates[state], detail })),
    };
    const answer = await watches.renewRuntimeLease(request, { timeoutMs: ttlMs / 3 });
    return answer.ttlMs;
  }

  async function* download(sha256: string, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const request = { sha256, offset: String(offset) };
    for await (const message of files.downloadArtifact(request, { signal })) yield message.chunk;
  }

  return {
    watchAssignments,
    renewLease,
    download,
    releaseLease: async () => {
      await watches.releaseLease({ holderId: identity().runtimeId }, { timeoutMs: 1_000 });
    },
    close: () => {
      watches.close();
      files.close();
    },
  };
}
