import type { Arm, Release } from '@sluice/domain/release';
import type { RouteReason } from '@sluice/evidence/record';
import { responseParameter } from '@sluice/inference/rewrite';
import { hashOf } from './unit-hash.ts';
import type { TextHash, UnitShare } from './unit-hash.ts';

/** An arm of a release with what its answers carry. */
export interface ArmRoute extends Arm {
  readonly release: Release;
  /** What follows an answer to name the arm. */
  readonly parameter: Uint8Array;
}

/** The arm that a request is assigned to, and why that one. There is one object for each way, made with its release. */
export interface ArmChoice {
  readonly arm: ArmRoute;
  readonly reason: RouteReason;
  /** Id of the rule that chose it; '' without one. */
  readonly rule: string;
}

/** An arm that answers. */
export interface ArmShare extends UnitShare {
  readonly byUnit: ArmChoice;
  readonly byWeight: ArmChoice;
  readonly forced: ArmChoice;
}

/** A rule whose arm answers. */
export interface RuleRoute {
  readonly metadataKey: string;
  readonly equals: string;
  readonly choice: ArmChoice;
}

/** A release as requests are routed by it: all that is the same for each of them is made before the first. */
export interface ReleaseRoute {
  readonly release: Release;
  readonly arms: readonly ArmRoute[];
  /** The arm that answers where a candidate cannot; undefined in a release without one, which no registry makes. */
  readonly primary: ArmRoute | undefined;
  /** Arms that get copies of what others have answered. */
  readonly shadows: readonly ArmRoute[];
  /** Arms that answer. */
  readonly shares: readonly ArmShare[];
  /** What there is to choose where one arm answers; undefined where there are several, or none. */
  readonly only: ArmChoice | undefined;
  readonly totalWeight: number;
  readonly rules: readonly RuleRoute[];
  readonly seed: TextHash;
}

export function releaseRoute(release: Release): ReleaseRoute {
  const arms = release.arms.map((arm) => armRoute(release, arm));
  const answering = arms.filter(({ role }) => role !== 'shadow');
  const shares = answering.map(shareOf);
  return {
    release,
    arms,
    primary: answering.find(({ role }) => role === 'primary'),
    shadows: arms.filter(({ role }) => role === 'shadow'),
    shares,
    only: answering.length === 1 ? chosen(answering[0]!, 'only-arm') : undefined,
    totalWeight: shares.reduce((sum, { weight }) => sum + weight, 0),
    // A rule whose arm is not there, or a shadow, is passed over: nothing else could be done with it.
    rules: release.rules.flatMap(({ id, metadataKey, equals, arm: name }) => {
      const arm = answering.find((each) => each.name === name);
      return arm ? [{ metadataKey, equals, choice: chosen(arm, 'rule', id) }] : [];
    }),
    seed: hashOf(release.seedId),
  };
}

function armRoute(release: Release, arm: Arm): ArmRoute {
  return { ...arm, release, parameter: responseParameter('sluice_arm', { kind: 'string', value: arm.name }) };
}

function shareOf(arm: ArmRoute): ArmShare {
  return {
    weight: arm.weight,
    hash: hashOf(arm.name),
    byUnit: chosen(arm, 'unit'),
    byWeight: chosen(arm, 'weight'),
    forced: chosen(arm, 'forced'),
  };
}

const chosen = (arm: ArmRoute, reason: RouteReason, rule = ''): ArmChoice => ({ arm, reason, rule });
