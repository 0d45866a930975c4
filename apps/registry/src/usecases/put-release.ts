import { checkArmsAgree } from '@sluice/domain/arms-agree';
import { championAlias, hasApprovals } from '@sluice/domain/approval';
import type { CaptureChanges } from '@sluice/domain/capture';
import { changeCapture, checkCapture } from '@sluice/domain/capture';
import { checkOffered } from '@sluice/domain/device';
import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import type { Release } from '@sluice/domain/release';
import { sameSplit } from '@sluice/domain/release';
import type { PlannedArm, ReleasePlan } from '@sluice/domain/release-plan';
import { answers, armsOf, checkReleasePlan } from '@sluice/domain/release-plan';
import { checkRedactable } from './check-redact.ts';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel, requireNotQuarantined, requireReadyVersion } from './lookups.ts';
import { liveOffers, type PlacingPorts } from './placing.ts';
import type { ModelRecord, VersionRecord } from './records.ts';
import type { Entry, StateChange } from './state.ts';

export interface PutReleaseRequest {
  readonly model: string;
  /** An empty `seedId` keeps that of the release before. */
  readonly plan: ReleasePlan;
  /** How its capture policy differs from the model's; undefined: it has none of its own. */
  readonly capture?: CaptureChanges | undefined;
  /** Of the model's release, whoever made it. */
  readonly expectedRevision?: number | undefined;
}

/**
 * Makes a release that rules, from now on and whatever `champion` and pins say, where requests that name no version go.
 * Its versions are placed. The same release again changes nothing.
 *
 * @throws SluiceError naming the field: what is wrong of the plan, a version that is not ready, quarantined, not offered its
 *   devices, not approved for `champion` where it would answer, or unlike the primary's
 */
export async function putRelease(ports: PlacingPorts, actor: string, request: PutReleaseRequest): Promise<Release> {
  checkActor(actor);
  const { plan, capture } = request;
  checkReleasePlan(plan);
  const offers = liveOffers(await ports.leases.read());
  return ports.state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const current = await change.release(model.name);
    checkExpectedRevision(`the release of ${model.name}`, request.expectedRevision, current?.revision ?? 0);
    const versions = new Map<number, VersionRecord>();
    for (const [index, arm] of plan.arms.entries()) {
      const isNew = !current?.arms.some(({ version }) => version === arm.version);
      const found = versionFor(change, model, arm, isNew ? offers : undefined);
      versions.set(arm.version, await atField(`arms[${index}].version`, found));
    }
    checkArmsAgree(plan.arms, (number) => versions.get(number)!);
    const policy = checkCapture(changeCapture(model.settings.capture, capture));
    await checkRedactable(change, model.name, capture?.redact);
    const next: Release = {
      id: `${model.name}@${change.revision}`,
      model: model.name,
      mode: plan.mode,
      arms: armsOf(plan, (number) => versions.get(number)!.digest),
      rules: plan.rules,
      capture: policy,
      seedId: plan.seedId || (current?.seedId ?? `${model.name}/1`),
      policyVersion: 0,
      revision: change.revision,
      implicit: false,
      ownCapture: capture !== undefined,
    };
    if (current && sameSplit(current, next)) return { entries: [], result: current };
    await change.replaceRelease(model.name, next);
    await change.settle(model.name);
    return { entries: [releasePut(next, current)], result: next };
  });
}

/** The version of an arm, when it may be one. */
async function versionFor(
  change: StateChange,
  model: ModelRecord,
  arm: PlannedArm,
  offers: Parameters<typeof checkOffered>[1] | undefined,
): Promise<VersionRecord> {
  const version = await requireReadyVersion(change, model.name, arm.version);
  await requireNotQuarantined(change, model.name, version.number);
  // One that is an arm already was offered its devices then: a change of weights must be possible while they are away.
  if (offers) checkOffered(version, offers);
  if (answers(arm)) await checkApproved(change, model, version);
  return version;
}

/** Whoever puts a release decides what answers, as whoever moves `champion` does. */
async function checkApproved(change: StateChange, model: ModelRecord, version: VersionRecord): Promise<void> {
  const { createdBy: pushedBy, number } = version;
  const approvals = await change.approvals(model.name, number);
  const approvers = approvals.filter(({ alias }) => alias === championAlias).map(({ approver }) => approver);
  const { approvalsRequired } = model.settings;
  if (hasApprovals({ pushedBy, approvalsRequired, approvers })) return;
  throw failedPrecondition(
    `${model.name} version ${number} needs an approval before it may answer in a release: somebody other than ${pushedBy}, ` +
      `who pushed it, types \`sluice approve ${model.name} ${number} --as NAME\`; as a shadow it needs none`,
  );
}

/** The same failure under the field that it is about. */
async function atField<T>(field: string, found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.kind === 'internal' || thrown.kind === 'unavailable') throw thrown;
    throw new SluiceError(thrown.kind, `${field}: ${thrown.message.replace(/^version: /, '')}`, { cause: thrown });
  }
}

function releasePut(release: Release, before: Release | undefined): Entry {
  const { model, id, mode, arms, rules, capture, seedId, ownCapture } = release;
  return {
    action: 'release.put',
    object: `model/${model}/release`,
    body: {
      model,
      release: id,
      before: before?.id ?? null,
      mode,
      arms: arms.map(({ versionDigest: digest, ...arm }) => ({ ...arm, digest })),
      rules: rules.map(({ metadataKey, ...rule }) => ({ ...rule, metadata_key: metadataKey })),
      capture: ownCapture === true ? { ...capture } : null,
      seed_id: seedId,
    },
  };
}
