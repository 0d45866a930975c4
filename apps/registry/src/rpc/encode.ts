import type { Alias } from '@sluice/contracts/gen/sluice/registry/v1/Alias';
import type { AliasHistoryEntry as HistoryMessage } from '@sluice/contracts/gen/sluice/registry/v1/AliasHistoryEntry';
import type { AliasMove as MoveMessage } from '@sluice/contracts/gen/sluice/registry/v1/AliasMove';
import type { Approval } from '@sluice/contracts/gen/sluice/registry/v1/Approval';
import type { CapturePolicy as CapturePolicyMessage } from '@sluice/contracts/gen/sluice/registry/v1/CapturePolicy';
import type { Model } from '@sluice/contracts/gen/sluice/registry/v1/Model';
import type { ModelSettings as SettingsMessage } from '@sluice/contracts/gen/sluice/registry/v1/ModelSettings';
import type { Quarantine } from '@sluice/contracts/gen/sluice/registry/v1/Quarantine';
import type { Release as ReleaseMessage } from '@sluice/contracts/gen/sluice/registry/v1/Release';
import type { RouterLease as RouterLeaseMessage } from '@sluice/contracts/gen/sluice/registry/v1/RouterLease';
import type { RuntimeLease as RuntimeLeaseMessage } from '@sluice/contracts/gen/sluice/registry/v1/RuntimeLease';
import type { Signature as SignatureMessage } from '@sluice/contracts/gen/sluice/registry/v1/Signature';
import type { TensorSpec as TensorMessage } from '@sluice/contracts/gen/sluice/registry/v1/TensorSpec';
import type { Version } from '@sluice/contracts/gen/sluice/registry/v1/Version';
import type { AliasMoveState, LoadState } from '@sluice/domain/alias-move';
import type { LabelResolution } from '@sluice/domain/label-policy';
import type { ModelSettings } from '@sluice/domain/model';
import type { ArmRole, CapturePolicy, Durability, Release, ReleaseMode } from '@sluice/domain/release';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import type { VersionState } from '@sluice/domain/version';
import type { AliasView, ModelView } from '../usecases/get-model.ts';
import type { RuntimeVersionState } from '../usecases/move-progress.ts';
import type {
  AliasHistoryEntry,
  AliasMove,
  AliasRecord,
  ApprovalRecord,
  ModelRecord,
  QuarantineRecord,
  RouterLease,
  RuntimeLease,
  VersionRecord,
  VersionView,
} from '../usecases/records.ts';
import { encodeServing } from './encode-serving.ts';
import { timestamp, timestampOrNull } from './scalars.ts';

const versionStates = {
  admitting: 'VERSION_STATE_ADMITTING',
  ready: 'VERSION_STATE_READY',
  rejected: 'VERSION_STATE_REJECTED',
  deleted: 'VERSION_STATE_DELETED',
} as const satisfies Record<VersionState, string>;

const moveStates = {
  requested: 'ALIAS_MOVE_STATE_REQUESTED',
  effective: 'ALIAS_MOVE_STATE_EFFECTIVE',
  withdrawn: 'ALIAS_MOVE_STATE_WITHDRAWN',
  cancelled: 'ALIAS_MOVE_STATE_CANCELLED',
} as const satisfies Record<AliasMoveState, string>;

const loadStates = {
  loading: 'LOAD_STATE_LOADING',
  ready: 'LOAD_STATE_READY',
  failed: 'LOAD_STATE_FAILED',
  unloading: 'LOAD_STATE_UNLOADING',
  evicted: 'LOAD_STATE_EVICTED',
} as const satisfies Record<LoadState, string>;

const releaseModes = {
  fixed: 'RELEASE_MODE_FIXED',
  ab: 'RELEASE_MODE_AB',
  canary: 'RELEASE_MODE_CANARY',
  shadow: 'RELEASE_MODE_SHADOW',
  bandit: 'RELEASE_MODE_BANDIT',
} as const satisfies Record<ReleaseMode, string>;

const armRoles = {
  primary: 'ARM_ROLE_PRIMARY',
  candidate: 'ARM_ROLE_CANDIDATE',
  shadow: 'ARM_ROLE_SHADOW',
} as const satisfies Record<ArmRole, string>;

const resolutions = {
  latest: 'LABEL_RESOLUTION_LATEST',
  'trusted-first': 'LABEL_RESOLUTION_TRUSTED_FIRST',
} as const satisfies Record<LabelResolution, string>;

const durabilities = {
  'best-effort': 'DURABILITY_BEST_EFFORT',
  durable: 'DURABILITY_DURABLE',
} as const satisfies Record<Durability, string>;

export function encodeModel(model: ModelRecord | ModelView): Model {
  return {
    name: model.name,
    settings: encodeSettings(model.settings),
    revision: model.revision,
    createdAt: timestamp(model.createdAt),
    createdBy: model.createdBy,
    versionCount: model.versionCount,
    aliases: 'aliases' in model ? model.aliases.map(encodeAlias) : [],
  };
}

/** All settings of a model. */
export function encodeSettings(settings: ModelSettings): SettingsMessage {
  const { owner, description, approvalsRequired, capture, labels } = settings;
  return {
    ...{ owner, description, approvalsRequired, capture: encodeCapture(capture) },
    labels: { resolution: resolutions[labels.resolution], trustedSources: [...labels.trustedSources] },
  };
}

export function encodeAlias(alias: AliasRecord | AliasView): Alias {
  return {
    model: alias.model,
    alias: alias.alias,
    version: alias.version ?? 0,
    revision: alias.revision,
    since: timestampOrNull(alias.since),
    actor: alias.actor,
    pending: 'pending' in alias && alias.pending ? encodeMove(alias.pending) : null,
  };
}

export function encodeMove(move: AliasMove, runtimes: readonly RuntimeVersionState[] = []): MoveMessage {
  return {
    id: move.id,
    model: move.model,
    alias: move.alias,
    fromVersion: move.fromVersion ?? 0,
    toVersion: move.toVersion,
    state: moveStates[move.state],
    reasons: [...move.reasons],
    requestedAt: timestamp(move.requestedAt),
    endedAt: timestampOrNull(move.endedAt),
    actor: move.actor,
    timeoutMs: move.timeoutMs,
    requestedRevision: move.requestedRevision,
    endedRevision: move.endedRevision ?? 0,
    runtimes: runtimes.map((runtime) => ({
      runtimeId: runtime.runtimeId,
      state: runtime.state === undefined ? 'LOAD_STATE_UNSPECIFIED' : loadStates[runtime.state],
      reason: runtime.reason,
    })),
  };
}

export function encodeHistory(entry: AliasHistoryEntry): HistoryMessage {
  const { alias, version, actor, revision } = entry;
  return { alias, version, from: timestamp(entry.from), to: timestampOrNull(entry.to), actor, revision };
}

export function encodeApproval(approval: ApprovalRecord): Approval {
  return { ...approval, at: timestamp(approval.at) };
}

export function encodeVersion(version: VersionRecord | VersionView): Version {
  const view = 'approvals' in version ? version : { approvals: [], aliases: [], pinned: false, quarantines: [] };
  return {
    model: version.model,
    number: version.number,
    state: versionStates[version.state],
    digest: version.digest,
    files: version.files.map((file) => ({ ...file })),
    graphPath: version.graphPath,
    signature: encodeSignature(version.signature),
    serving: encodeServing(version.serving),
    manifestJson: version.manifestJson,
    admission: version.admission
      ? {
          ...version.admission,
          checks: version.admission.checks.map((check) => ({ ...check })),
          derived: [...version.admission.derived],
        }
      : null,
    createdAt: timestamp(version.createdAt),
    createdBy: version.createdBy,
    revision: version.revision,
    rejection: version.rejection,
    approvals: view.approvals.map(encodeApproval),
    aliases: [...view.aliases],
    pinned: view.pinned,
    quarantines: view.quarantines.map(encodeQuarantine),
  };
}

export function encodeQuarantine(quarantine: QuarantineRecord): Quarantine {
  const { model, version, pool, reason, since, actor } = quarantine;
  return { model, version, pool, reason, since: timestamp(since), actor };
}

export function encodeSignature(signature: Signature): SignatureMessage {
  return {
    inputs: signature.inputs.map(encodeTensor),
    outputs: signature.outputs.map(encodeTensor),
    batched: signature.batched,
  };
}

function encodeTensor(tensor: TensorSpec): TensorMessage {
  return {
    ...tensor,
    shape: [...tensor.shape],
    dimNames: [...tensor.dimNames],
    features: tensor.features.map((feature) => ({ ...feature })),
    classNames: [...(tensor.classNames ?? [])],
  };
}

export function encodeRelease(release: Release | undefined): ReleaseMessage | null {
  if (!release) return null;
  return {
    id: release.id,
    model: release.model,
    mode: releaseModes[release.mode],
    arms: release.arms.map((arm) => ({ ...arm, role: armRoles[arm.role] })),
    rules: release.rules.map((rule) => ({ ...rule })),
    capture: encodeCapture(release.capture),
    seedId: release.seedId,
    policyVersion: release.policyVersion,
    revision: release.revision,
    implicit: release.implicit,
    ownCapture: release.ownCapture ?? false,
  };
}

function encodeCapture(capture: CapturePolicy): CapturePolicyMessage {
  const { rate, request, response, maxPayloadBytes, durability, retentionClass, redact } = capture;
  return {
    ...{ rate, request, maxPayloadBytes, retentionClass, redact: [...redact] },
    ...(response === 'small' ? {} : { response }),
    payload: request && response === true,
    durability: durabilities[durability],
  };
}

export function encodeRuntimeLease(lease: RuntimeLease): RuntimeLeaseMessage {
  return {
    runtimeId: lease.runtimeId,
    pool: lease.pool,
    address: lease.address,
    appliedRevision: lease.appliedRevision,
    expiresAt: timestamp(lease.expiresAt),
    versions: lease.versions.map((loaded) => ({ ...loaded, state: loadStates[loaded.state] })),
    memoryBudgetBytes: lease.memoryBudgetBytes,
    memoryUsedBytes: lease.memoryUsedBytes,
    live: lease.live,
    devices: lease.devices.map((device) => ({ ...device, state: deviceStates[device.state] })),
  };
}

const deviceStates = { available: 'DEVICE_STATE_AVAILABLE', missing: 'DEVICE_STATE_MISSING' } as const;

export function encodeRouterLease(lease: RouterLease): RouterLeaseMessage {
  const { routerId, address, appliedRevision, live } = lease;
  return { routerId, address, appliedRevision, expiresAt: timestamp(lease.expiresAt), live };
}
