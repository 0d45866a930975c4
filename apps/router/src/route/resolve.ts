import type { Random } from '@sluice/domain/clock';
import { failedPrecondition, invalidArgument, notFound, unavailable } from '@sluice/domain/errors';
import type { SluiceError } from '@sluice/domain/errors';
import { clip, parseVersionRef } from '@sluice/domain/names';
import { quarantinedError } from '@sluice/domain/quarantine';
import type { CapturePolicy } from '@sluice/domain/release';
import type { CallMetadata, MetadataSource } from './call-metadata.ts';
import { chooseArm } from './choose-arm.ts';
import type { ArmChoice, ArmRoute, ReleaseRoute } from './release-route.ts';
import { targetOf } from './table.ts';
import type { ModelRoute, RouteTable, VersionRoute, VersionTarget } from './table.ts';

/** Where a request goes. */
export interface Route {
  readonly model: ModelRoute;
  readonly version: VersionTarget;
  /** The release that it goes by; undefined when the request named its version, which bypasses the release. */
  readonly release: ReleaseRoute | undefined;
  /** Its arm, and why that one; undefined as the release. */
  readonly choice: ArmChoice | undefined;
  /** Why no request may go there, although it was routed there; undefined when they may. */
  readonly quarantine: SluiceError | undefined;
}

/**
 * Which evidence is kept of the requests for a model: what its release says, also of those that name their version; without one
 * what the model says. Undefined for a model that is not there.
 */
export function capturePolicyOf(table: RouteTable | undefined, name: string): CapturePolicy | undefined {
  const model = table?.models.get(name);
  return model?.release?.release.capture ?? model?.capture;
}

/** The model of that name. */
export function findModel(table: RouteTable | undefined, name: string): ModelRoute {
  if (!table) throw unavailable('this router has no routes yet: it has reached no registry since its first start');
  const model = table.models.get(name);
  if (model) return model;
  if (name === '') throw invalidArgument('model_name: expected the name of a model, got nothing');
  throw notFound(`Request for unknown model: '${clip(name)}' is not found`);
}

/**
 * Finds where a request goes.
 *
 * @param versionText the request's `model_version`: a number, an alias, or nothing for the model's release
 * @param said what its metadata say of routing; rules of the release ask `source` for others
 * @throws SluiceError invalid-argument for what is no version; not-found for an unknown model, version or alias;
 *   failed-precondition for a model without champion and pin
 */
export function resolveRoute(
  table: RouteTable | undefined,
  modelName: string,
  versionText: string,
  said: Pick<CallMetadata, 'arm' | 'unit'>,
  source: MetadataSource,
  random: Random,
): Route {
  const model = findModel(table, modelName);
  if (versionText === '') {
    const release = releaseOf(model);
    const choice = chooseArm(release, said, source, random);
    return routeTo(model, choice.arm.version, release, choice);
  }
  const route = routeTo(model, namedVersion(model, versionText), undefined, undefined);
  if (said.arm !== undefined) {
    throw invalidArgument('metadata sluice-arm: a request that names its version goes to no arm; send one of the two');
  }
  return route;
}

function routeTo(
  model: ModelRoute,
  number: number,
  release: ReleaseRoute | undefined,
  choice: ArmChoice | undefined,
): Route {
  const version = model.placed.get(number) ?? unplacedTarget(model, number);
  return { model, version, release, choice, quarantine: quarantineIn(model, number) };
}

/**
 * The arm that answers when the one that a request was assigned to cannot: the primary, for a candidate.
 *
 * @returns undefined where there is none: for the primary itself, for an arm that the caller forced, past the release, and
 *   while the primary is in quarantine
 */
export function fallbackOf({ model, release, choice }: Route): ArmRoute | undefined {
  if (choice === undefined || choice.arm.role !== 'candidate' || choice.reason === 'forced') return undefined;
  const primary = release?.primary;
  return primary && targetIn(model, primary.version) && primary;
}

/** How requests go to a version of an arm; undefined where nothing may be sent to it: in quarantine, or not there any more. */
export function targetIn(model: ModelRoute, number: number): VersionTarget | undefined {
  if (model.quarantined.has(number)) return undefined;
  const placed = model.placed.get(number);
  return placed ?? (model.unplaced.has(number) ? unplacedTarget(model, number) : undefined);
}

/** The version that a metadata or readiness request means, placed or not. */
export function versionNumber(model: ModelRoute, versionText: string): number {
  if (versionText !== '') return namedVersion(model, versionText);
  const { primary, shares } = releaseOf(model);
  return (primary ?? shares[0]!.forced.arm).version;
}

/** How requests go to versions that are not placed: made when the first one comes, for each state of a model. */
const unplacedTargets = new WeakMap<ModelRoute, Map<number, VersionTarget>>();

/** The version of that number, placed or not: what is not placed is loaded when a request comes for it. */
export function existingVersion(model: ModelRoute, number: number): VersionTarget {
  return model.placed.get(number) ?? unplacedVersion(model, number);
}

/** The refusal of what would run a version that is quarantined; undefined for any other. */
export function quarantineOf(
  table: RouteTable | undefined,
  { model, number }: Pick<VersionTarget, 'model' | 'number'>,
): SluiceError | undefined {
  const route = table?.models.get(model);
  return route && quarantineIn(route, number);
}

function quarantineIn({ name: model, quarantined }: ModelRoute, number: number): SluiceError | undefined {
  const reason = quarantined.get(number);
  return reason === undefined ? undefined : quarantinedError({ model, version: number, reason });
}

function unplacedVersion(model: ModelRoute, number: number): VersionTarget {
  const quarantine = quarantineIn(model, number);
  if (quarantine) throw quarantine;
  return unplacedTarget(model, number);
}

function unplacedTarget(model: ModelRoute, number: number): VersionTarget {
  if (!model.unplaced.has(number)) {
    throw notFound(`Request for unknown model: '${model.name}' version ${number} is not found`);
  }
  const known = unplacedTargets.get(model) ?? new Map<number, VersionTarget>();
  unplacedTargets.set(model, known);
  const target = known.get(number) ?? targetOf(model.name, number);
  known.set(number, target);
  return target;
}

/** The placed version of that number: only of these does a router know more than that they exist. */
export function placedVersion(model: ModelRoute, number: number): VersionRoute {
  const version = model.placed.get(number);
  if (version) return version;
  const { text } = unplacedVersion(model, number);
  throw unavailable(
    `${model.name} version ${text} is not placed: give it an alias or \`sluice pin\`; requests load it`,
  );
}

/** @returns a release in which some arm answers */
function releaseOf(model: ModelRoute): ReleaseRoute {
  if (!model.release || model.release.shares.length === 0) throw noRelease(model);
  return model.release;
}

function noRelease(model: ModelRoute): SluiceError {
  return failedPrecondition(
    `${model.name} has no champion and no pinned version: run \`sluice alias set ${model.name} champion VERSION\`, or name a version in model_version`,
  );
}

function namedVersion(model: ModelRoute, text: string): number {
  const ref = parseVersionRef(text);
  if (ref.kind === 'number') return ref.number;
  const number = ref.kind === 'alias' ? model.aliases.get(ref.alias) : undefined;
  if (number === undefined) {
    // The end is Triton's: its clients look for it.
    throw notFound(
      `Request for unknown model: '${model.name}' has no version or alias '${clip(text)}': failed to get model version from specified version string '${clip(text)}'`,
    );
  }
  return number;
}
