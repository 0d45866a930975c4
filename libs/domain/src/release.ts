import { answeringVersion } from './answering.ts';
import type { CapturePolicy } from './capture.ts';
import { captureText, defaultCapture } from './capture.ts';

export type { CapturePolicy, Durability, RetentionClass } from './capture.ts';
export { defaultCapture, durabilities, retentionClasses, smallResponseBytes } from './capture.ts';

export const releaseModes = ['fixed', 'ab', 'canary', 'shadow', 'bandit'] as const;
export type ReleaseMode = (typeof releaseModes)[number];

export const armRoles = ['primary', 'candidate', 'shadow'] as const;
export type ArmRole = (typeof armRoles)[number];

/** One version in a release, with its share of the traffic. */
export interface Arm {
  readonly name: string;
  readonly version: number;
  readonly role: ArmRole;
  readonly weight: number;
  /** Probability with which this arm is chosen; logged into the evidence. */
  readonly propensity: number;
  readonly versionDigest: string;
}

/** Sends requests that match to one arm before weights are looked at. */
export interface Rule {
  readonly id: string;
  readonly metadataKey: string;
  readonly equals: string;
  readonly arm: string;
}

/** How a model's traffic is split. */
export interface Release {
  /** The model and the revision that made it: `digits@17`. */
  readonly id: string;
  readonly model: string;
  readonly mode: ReleaseMode;
  readonly arms: readonly Arm[];
  readonly rules: readonly Rule[];
  readonly capture: CapturePolicy;
  /** Names the hash seed by which units are assigned to arms. */
  readonly seedId: string;
  /** Number of the policy that set the propensities; 0 for fixed ones. */
  readonly policyVersion: number;
  readonly revision: number;
  /** True when an alias or pin made it, not a person. */
  readonly implicit: boolean;
  /** True when `capture` is its own; else it is the model's, and follows what is set there. */
  readonly ownCapture?: boolean;
}

export interface ImplicitReleaseFacts {
  readonly model: string;
  /** What `champion` points to; undefined when it is not set. */
  readonly champion: number | undefined;
  readonly pins: readonly number[];
  /** The digest of a version of the model. */
  readonly digestOf: (version: number) => string;
  /** Revision of the change that this release comes from. */
  readonly revision: number;
  readonly capture?: CapturePolicy;
}

/**
 * The release that a model has without anybody writing one: all traffic to `champion`, else to the highest pinned
 * version; undefined when there is neither.
 */
export function implicitRelease(facts: ImplicitReleaseFacts): Release | undefined {
  const version = answeringVersion(facts);
  if (version === undefined) return undefined;
  return {
    id: `${facts.model}@${facts.revision}`,
    model: facts.model,
    mode: 'fixed',
    arms: [
      { name: 'primary', version, role: 'primary', weight: 1, propensity: 1, versionDigest: facts.digestOf(version) },
    ],
    rules: [],
    capture: facts.capture ?? defaultCapture,
    seedId: `${facts.model}/1`,
    policyVersion: 0,
    revision: facts.revision,
    implicit: true,
  };
}

/** True when two releases split traffic alike, whatever made them and when. */
export function sameSplit(left: Release | undefined, right: Release | undefined): boolean {
  return splitText(left) === splitText(right);
}

function splitText(release: Release | undefined): string {
  if (!release) return '';
  const { mode, arms, rules, capture, seedId, policyVersion, implicit, ownCapture = false } = release;
  return JSON.stringify([
    mode,
    arms.map((arm) => [arm.name, arm.version, arm.role, arm.weight, arm.propensity, arm.versionDigest]),
    rules.map((rule) => [rule.id, rule.metadataKey, rule.equals, rule.arm]),
    captureText(capture),
    seedId,
    policyVersion,
    implicit,
    ownCapture,
  ]);
}
