import type { Device__Output } from '@sluice/contracts/gen/sluice/registry/v1/Device';
import type { LoadState as LoadStateMessage } from '@sluice/contracts/gen/sluice/registry/v1/LoadState';
import type { ModelSettings__Output as SettingsMessage } from '@sluice/contracts/gen/sluice/registry/v1/ModelSettings';
import type { RenewRouterLeaseRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/RenewRouterLeaseRequest';
import type { RenewRuntimeLeaseRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/RenewRuntimeLeaseRequest';
import type { ReportStrikeRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/ReportStrikeRequest';
import type { VersionFile__Output } from '@sluice/contracts/gen/sluice/registry/v1/VersionFile';
import type { LoadState } from '@sluice/domain/alias-move';
import { invalidArgument } from '@sluice/domain/errors';
import type { ModelSettings } from '@sluice/domain/model';
import { defaultModelSettings } from '@sluice/domain/model';
import { clip } from '@sluice/domain/names';
import { isStrikeKind, strikeKinds } from '@sluice/domain/quarantine';
import { cutText, storableText } from '@sluice/domain/text';
import type { VersionFile } from '@sluice/domain/version';
import type { RouterAnnouncement, RuntimeAnnouncement, RuntimeDevice } from '../usecases/records.ts';
import type { ReportedStrike } from '../usecases/report-strike.ts';
import { readInteger, readTimestamp, readVersion } from './scalars.ts';

/** Settings of a model that is made; what is not given is as by default. Its policies are said elsewhere. */
export function decodeSettings(settings: SettingsMessage | null): ModelSettings {
  if (settings === null) return defaultModelSettings;
  if (settings.capture !== null) {
    throw invalidArgument(
      'settings.capture: is for reading; say in `capture` of the request how it differs from the default',
    );
  }
  if (settings.labels !== null) {
    throw invalidArgument(
      'settings.labels: is for reading; say in `labels` of the request how they differ from LATEST',
    );
  }
  const { owner, description, approvalsRequired = defaultModelSettings.approvalsRequired } = settings;
  return { ...defaultModelSettings, owner, description, approvalsRequired };
}

export function decodeFiles(files: readonly VersionFile__Output[]): readonly VersionFile[] {
  return files.map(({ path, sha256, size }, index) => ({
    path,
    sha256,
    size: readInteger(size, `files[${index}].size`),
  }));
}

export function decodeRuntime(request: RenewRuntimeLeaseRequest__Output): RuntimeAnnouncement {
  return {
    runtimeId: request.runtimeId,
    pool: request.pool,
    address: request.address,
    appliedRevision: readInteger(request.appliedRevision, 'applied_revision'),
    ttlMs: request.ttlMs,
    versions: request.versions.map((loaded, index) => ({
      model: loaded.model,
      version: readVersion(loaded.version, `versions[${index}].version`),
      state: decodeLoadState(loaded.state, `versions[${index}].state`),
      reason: storableText(cutText(loaded.reason, 2_000)),
      devicesAsked: storableText(cutText(loaded.devicesAsked, 1_000)),
      devicesGot: storableText(cutText(loaded.devicesGot, 1_000)),
    })),
    memoryBudgetBytes: readInteger(request.memoryBudgetBytes, 'memory_budget_bytes'),
    memoryUsedBytes: readInteger(request.memoryUsedBytes, 'memory_used_bytes'),
    devices: request.devices.map(decodeDevice),
  };
}

/** A state that only later software knows is not one in which the device can be used. */
const decodeDevice = ({ name, state, detail }: Device__Output): RuntimeDevice => ({
  name,
  state: state === 'DEVICE_STATE_AVAILABLE' ? 'available' : 'missing',
  detail: storableText(cutText(detail, 2_000)),
});

export function decodeRouter(request: RenewRouterLeaseRequest__Output): RouterAnnouncement {
  const { routerId, address, ttlMs } = request;
  return { routerId, address, ttlMs, appliedRevision: readInteger(request.appliedRevision, 'applied_revision') };
}

export function decodeStrike(request: ReportStrikeRequest__Output): ReportedStrike {
  const { strikeId: id, runtimeId, pool, model, digest, kind } = request;
  if (!isStrikeKind(kind)) {
    throw invalidArgument(`kind: "${clip(kind)}" given; expected one of ${strikeKinds.join(', ')}`);
  }
  const at = readTimestamp(request.at, 'at');
  return { id, runtimeId, pool, model, version: readVersion(request.version), digest, kind, at };
}

function decodeLoadState(state: keyof typeof LoadStateMessage, field: string): LoadState {
  switch (state) {
    case 'LOAD_STATE_LOADING':
      return 'loading';
    case 'LOAD_STATE_READY':
      return 'ready';
    case 'LOAD_STATE_FAILED':
      return 'failed';
    case 'LOAD_STATE_UNLOADING':
      return 'unloading';
    case 'LOAD_STATE_EVICTED':
      return 'evicted';
    case 'LOAD_STATE_UNSPECIFIED':
      throw invalidArgument(`${field}: missing; expected loading, ready, failed, unloading or evicted`);
  }
  // A runtime that is one version ahead may know states that this registry does not.
  throw invalidArgument(`${field}: ${String(state)} given; expected loading, ready, failed, unloading or evicted`);
}
