import { answeringVersion } from './answering.ts';

export const releaseModes = ['fixed', 'ab', 'canary', 'shadow', 'bandit'] as const;
export type ReleaseMode = (typeof releaseModes)[number];

export const armRoles = ['primary', 'candidate', 'shadow'] as const;
export type ArmRole = (typeof armRoles)[number];

export const durabilities = ['best-effort', 'durable'] as const;
export type Durability = (typeof durabilities)[number];

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

/** How long evidence is kept; feedback has a number of days for each. */
export const retentionClasses = ['short', 'standard', 'long'] as const;
export type RetentionClass = (typeof retentionClasses)[number];

/** Which evidence of a prediction is kept. */
export interface CapturePolicy {
  /** Share of predictions, 0 to 1. */
  readonly rate: number;
  /** Whether requests are kept. */
  readonly request: boolean;
  /** Whether responses are kept; `small`: those of at most `smallResponseBytes`, of versions that declare a task. */
  readonly response: boolean | 'small';
  /** A larger payload is left out of its record. */
  readonly maxPayloadBytes: number;
  /** Whether an answer waits until its record is on disk. */
  readonly durability: Durability;
  readonly retentionClass: RetentionClass;
  /** What is zeroed in the copy of a request that is kept: names of features, or of inputs as a whole. */
  readonly redact: readonly string[];
}

/** Without responses nothing can be said of a version's quality; so those that cost little are kept where nobody said. */
export const smallResponseBytes = 1024;

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
}

export const defaultCapture: CapturePolicy = {
  rate: 1,
  request: false,
  response: 'small',
  maxPayloadBytes: 65_536,
  durability: 'best-effort',
  retentionClass: 'standard',
  redact: [],
};

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
  const { mode, arms, rules, capture, seedId, policyVersion, implicit } = release;
  return JSON.stringify([
    mode,
    arms.map((arm) => [arm.name, arm.version, arm.role, arm.weight, arm.propensity, arm.versionDigest]),
    rules.map((rule) => [rule.id, rule.metadataKey, rule.equals, rule.arm]),
    captureText(capture),
    seedId,
    policyVersion,
    implicit,
  ]);
}

function captureText({ rate, request, response, maxPayloadBytes, durability, retentionClass, redact }: CapturePolicy) {
  return [rate, request, response, maxPayloadBytes, durability, retentionClass, redact];
}
