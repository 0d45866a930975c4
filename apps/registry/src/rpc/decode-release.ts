import type { ArmRole as ArmRoleMessage } from '@sluice/contracts/gen/sluice/registry/v1/ArmRole';
import type { CaptureChanges__Output } from '@sluice/contracts/gen/sluice/registry/v1/CaptureChanges';
import type { Durability as DurabilityMessage } from '@sluice/contracts/gen/sluice/registry/v1/Durability';
import type { LabelChanges__Output } from '@sluice/contracts/gen/sluice/registry/v1/LabelChanges';
import type { LabelResolution as LabelResolutionMessage } from '@sluice/contracts/gen/sluice/registry/v1/LabelResolution';
import type { PutReleaseRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/PutReleaseRequest';
import type { ReleaseMode as ReleaseModeMessage } from '@sluice/contracts/gen/sluice/registry/v1/ReleaseMode';
import type { ResponseCapture } from '@sluice/contracts/gen/sluice/registry/v1/ResponseCapture';
import type { CaptureChanges, CapturePolicy, Durability, RetentionClass } from '@sluice/domain/capture';
import { retentionClasses } from '@sluice/domain/capture';
import { invalidArgument } from '@sluice/domain/errors';
import type { LabelChanges, LabelResolution } from '@sluice/domain/label-policy';
import { clip } from '@sluice/domain/names';
import type { ArmRole, ReleaseMode } from '@sluice/domain/release';
import type { ReleasePlan } from '@sluice/domain/release-plan';
import { readInteger, readVersion } from './scalars.ts';

const modes: Readonly<Record<keyof typeof ReleaseModeMessage, ReleaseMode | undefined>> = {
  RELEASE_MODE_UNSPECIFIED: undefined,
  RELEASE_MODE_FIXED: 'fixed',
  RELEASE_MODE_AB: 'ab',
  RELEASE_MODE_CANARY: 'canary',
  RELEASE_MODE_SHADOW: 'shadow',
  RELEASE_MODE_BANDIT: 'bandit',
};

const roles: Readonly<Record<keyof typeof ArmRoleMessage, ArmRole | undefined>> = {
  ARM_ROLE_UNSPECIFIED: undefined,
  ARM_ROLE_PRIMARY: 'primary',
  ARM_ROLE_CANDIDATE: 'candidate',
  ARM_ROLE_SHADOW: 'shadow',
};

const responses: Readonly<Record<keyof typeof ResponseCapture, CapturePolicy['response'] | undefined>> = {
  RESPONSE_CAPTURE_UNSPECIFIED: undefined,
  RESPONSE_CAPTURE_NONE: false,
  RESPONSE_CAPTURE_SMALL: 'small',
  RESPONSE_CAPTURE_ALL: true,
};

const durabilities: Readonly<Record<keyof typeof DurabilityMessage, Durability | undefined>> = {
  DURABILITY_UNSPECIFIED: undefined,
  DURABILITY_BEST_EFFORT: 'best-effort',
  DURABILITY_DURABLE: 'durable',
};

const resolutions: Readonly<Record<keyof typeof LabelResolutionMessage, LabelResolution | undefined>> = {
  LABEL_RESOLUTION_UNSPECIFIED: undefined,
  LABEL_RESOLUTION_LATEST: 'latest',
  LABEL_RESOLUTION_TRUSTED_FIRST: 'trusted-first',
};

/** A release as somebody asks for it; a rule without an id gets the name of its place. */
export function decodePlan({ mode, arms, rules, seedId }: PutReleaseRequest__Output): ReleasePlan {
  return {
    mode: known(modes, mode, 'mode', 'fixed, ab, canary or shadow'),
    arms: arms.map(({ name, version, role, weight }, index) => ({
      ...{ name, weight },
      version: readVersion(version, `arms[${index}].version`),
      role: known(roles, role, `arms[${index}].role`, 'primary, candidate or shadow'),
    })),
    rules: rules.map(({ id, metadataKey, equals, arm }, index) => ({
      ...{ metadataKey, equals, arm },
      id: id || `rule-${index + 1}`,
    })),
    seedId,
  };
}

/** Changes of a capture policy; undefined when there is no word of it. */
export function decodeCaptureChanges(changes: CaptureChanges__Output | null): CaptureChanges | undefined {
  if (changes === null) return undefined;
  const { rate, request, response, maxPayloadBytes: most, durability, retentionClass, redact } = changes;
  return {
    ...{ rate, request, redact: redact?.names },
    response: optional(responses, response, 'capture.response', 'none, small or all'),
    durability: optional(durabilities, durability, 'capture.durability', 'best-effort or durable'),
    maxPayloadBytes: most === undefined ? undefined : readInteger(most, 'capture.max_payload_bytes'),
    retentionClass: retentionClass === undefined ? undefined : readRetention(retentionClass),
  };
}

/** Changes of a label policy; undefined when there is no word of it. */
export function decodeLabelChanges(changes: LabelChanges__Output | null): LabelChanges | undefined {
  if (changes === null) return undefined;
  return {
    resolution: optional(resolutions, changes.resolution, 'labels.resolution', 'latest or trusted-first'),
    trustedSources: changes.trustedSources?.names,
  };
}

function readRetention(text: string): RetentionClass {
  const found = retentionClasses.find((each) => each === text);
  if (found !== undefined) return found;
  throw invalidArgument(
    `capture.retention_class: "${clip(text)}" given; expected one of ${retentionClasses.join(', ')}`,
  );
}

/** A value that must be given. One that only later software knows comes as a number. */
function known<Name extends string, Value>(
  values: Readonly<Record<Name, Value | undefined>>,
  name: Name,
  field: string,
  expected: string,
): Value {
  const value = optional(values, name, field, expected);
  if (value !== undefined) return value;
  throw invalidArgument(`${field}: missing; expected ${expected}`);
}

function optional<Name extends string, Value>(
  values: Readonly<Record<Name, Value | undefined>>,
  name: Name,
  field: string,
  expected: string,
): Value | undefined {
  if (Object.hasOwn(values, name)) return values[name];
  throw invalidArgument(`${field}: ${name} given; expected ${expected}`);
}
