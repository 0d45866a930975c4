import type { ResponseOutput, WatchServiceMethods } from '@sluice/contracts/services';
import { isDatatype } from '@sluice/domain/datatype';
import type { DeviceWishes, Offer } from '@sluice/domain/device';
import { SluiceError } from '@sluice/domain/errors';
import { defaultCapture, retentionClasses } from '@sluice/domain/release';
import type { Arm, ArmRole, CapturePolicy, Durability, ReleaseMode } from '@sluice/domain/release';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { releaseRoute } from '../route/release-route.ts';
import type { ReleaseRoute } from '../route/release-route.ts';
import { targetOf } from '../route/table.ts';
import type { ModelRoute, VersionRoute } from '../route/table.ts';

/** One message of the routes watch, as the contract has it. */
export type WireRoutes = ResponseOutput<WatchServiceMethods['watchRoutes']>;
export type WireModelRoute = WireRoutes['models'][number];
type WireRelease = NonNullable<WireModelRoute['release']>;
type WireArm = WireRelease['arms'][number];
type WireVersion = WireModelRoute['placed'][number];
type WireRuntime = NonNullable<WireRoutes['runtimes']>['runtimes'][number];
type WireSignature = NonNullable<WireVersion['signature']>;

const modes: Record<WireRelease['mode'], ReleaseMode> = {
  // A registry that is newer than this router may send a mode that it does not know; one arm answers then.
  RELEASE_MODE_UNSPECIFIED: 'fixed',
  RELEASE_MODE_FIXED: 'fixed',
  RELEASE_MODE_AB: 'ab',
  RELEASE_MODE_CANARY: 'canary',
  RELEASE_MODE_SHADOW: 'shadow',
  RELEASE_MODE_BANDIT: 'bandit',
};

const roles: Record<WireArm['role'], ArmRole> = {
  ARM_ROLE_UNSPECIFIED: 'primary',
  ARM_ROLE_PRIMARY: 'primary',
  ARM_ROLE_CANDIDATE: 'candidate',
  ARM_ROLE_SHADOW: 'shadow',
};

const durabilities: Record<NonNullable<WireRelease['capture']>['durability'], Durability> = {
  DURABILITY_UNSPECIFIED: 'best-effort',
  DURABILITY_BEST_EFFORT: 'best-effort',
  DURABILITY_DURABLE: 'durable',
};

/**
 * A model's routes in the form that requests are routed by.
 *
 * @throws SluiceError data-loss when the registry sent what is no route
 */
export function decodeModelRoute(wire: WireModelRoute): ModelRoute {
  return {
    name: wire.model,
    revision: whole(wire.revision, `${wire.model} revision`),
    aliases: new Map(wire.aliases.map((alias) => [alias.alias, whole(alias.version, `alias ${alias.alias}`)])),
    release: wire.release ? decodeRelease(wire.release) : undefined,
    capture: wire.capture ? decodeCapture(wire.capture) : defaultCapture,
    placed: new Map(
      wire.placed.map((version) => decodeVersion(wire.model, version)).map((each) => [each.number, each]),
    ),
    // A registry of before the field says it of placed versions alone.
    keepsSequences: wire.keepsSequences || wire.placed.some(({ serving }) => serving?.sequenceBatching != null),
    unplaced: new Set(wire.unplaced.map((number) => whole(number, `${wire.model} unplaced version`))),
    quarantined: new Map(
      wire.quarantined.map(({ version, reason }) => [whole(version, `${wire.model} quarantined version`), reason]),
    ),
  };
}

function decodeVersion(model: string, wire: WireVersion): VersionRoute {
  const number = whole(wire.number, `${model} version`);
  const target = { ...targetOf(model, number), placed: true };
  const signature = decodeSignature(wire.signature, `${model} version ${target.text}`);
  return { ...target, digest: wire.digest, signature, wishes: decodeWishes(wire.serving), hasTask: wire.hasTask };
}

/** A registry of before there were devices sends none: that is the CPU. */
function decodeWishes(serving: WireVersion['serving']): DeviceWishes {
  if (!serving) return { instanceCount: 0, device: '', instanceGroups: [] };
  const { instanceCount, device, instanceGroups } = serving;
  return { instanceCount, device, instanceGroups };
}

/** Where a runtime is and what it offers; see `Offer`. */
export interface RuntimeSite extends Offer {
  readonly address: string;
}

/** A runtime as the registry tells of it. */
export const decodeSite = ({ address, pool, devices }: WireRuntime): RuntimeSite => ({
  address,
  pool,
  devices: devices.map(({ name }) => name),
});

function decodeSignature(wire: WireSignature | null, what: string): Signature {
  if (!wire) throw malformed(`${what} has no signature`);
  const tensor = (spec: WireSignature['inputs'][number]): TensorSpec => {
    if (!isDatatype(spec.datatype)) throw malformed(`${what}: tensor ${spec.name} has datatype "${spec.datatype}"`);
    return {
      name: spec.name,
      datatype: spec.datatype,
      shape: spec.shape.map(Number),
      dimNames: spec.dimNames,
      // Their names say which columns are redacted; what a router does not look at stays with the registry.
      features: spec.features.map(({ name, nullable }) => ({ name, nullable })),
    };
  };
  return { inputs: wire.inputs.map(tensor), outputs: wire.outputs.map(tensor), batched: wire.batched };
}

function decodeRelease(wire: WireRelease): ReleaseRoute {
  return releaseRoute({
    id: wire.id,
    model: wire.model,
    mode: modes[wire.mode],
    arms: wire.arms.map(decodeArm),
    rules: wire.rules,
    capture: wire.capture ? decodeCapture(wire.capture) : defaultCapture,
    seedId: wire.seedId,
    policyVersion: whole(wire.policyVersion, `release ${wire.id} policy version`),
    revision: whole(wire.revision, `release ${wire.id} revision`),
    implicit: wire.implicit,
  });
}

function decodeCapture(wire: NonNullable<WireRelease['capture']>): CapturePolicy {
  const { rate, payload, request, response, durability, retentionClass, redact } = wire;
  const bytes = whole(wire.maxPayloadBytes, 'capture policy, bytes of a payload');
  return {
    ...{ rate, redact },
    request: request ?? payload,
    response: response ?? (payload || 'small'),
    maxPayloadBytes: bytes === 0 ? defaultCapture.maxPayloadBytes : bytes,
    durability: durabilities[durability],
    // A registry of before the classes knows one, under another name.
    retentionClass: retentionClasses.find((each) => each === retentionClass) ?? defaultCapture.retentionClass,
  };
}

function decodeArm({ name, version, role, weight, propensity, versionDigest }: WireArm): Arm {
  if (!Number.isFinite(weight) || weight < 0) throw malformed(`arm ${name} weight is ${weight}`);
  const number = whole(version, `arm ${name} version`);
  return { name, version: number, role: roles[role], weight, propensity, versionDigest };
}

/** A 64-bit number of the contract, which comes as text. */
export function whole(text: string, what: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw malformed(`${what} is "${text}"`);
  return value;
}

function malformed(problem: string): SluiceError {
  return new SluiceError('data-loss', `the registry sent routes that cannot be read: ${problem}`);
}
