import { championAlias } from '@sluice/domain/approval';
import { notFound } from '@sluice/domain/errors';
import { checkActor } from '@sluice/domain/model';
import type { Release } from '@sluice/domain/release';
import { checkAnsweringAfter } from './answering.ts';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel } from './lookups.ts';
import type { RegistryState } from './state.ts';

export interface EndReleaseRequest {
  readonly model: string;
  /** Of the release. */
  readonly expectedRevision?: number | undefined;
}

/**
 * Ends the release that a person made; answers the one that rules now, by `champion` or pins, or undefined where there
 * is neither. Refused where a pinned version would answer that lacks the approval for `champion` (ADR 54).
 */
export async function endRelease(
  state: RegistryState,
  actor: string,
  request: EndReleaseRequest,
): Promise<Release | undefined> {
  checkActor(actor);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.model);
    const current = await change.release(model.name);
    checkExpectedRevision(`the release of ${model.name}`, request.expectedRevision, current?.revision ?? 0);
    if (!current || current.implicit) {
      throw notFound(
        `model: ${model.name} has no release that somebody made; where its requests go follows from ${championAlias} and pins`,
      );
    }
    const champion = (await change.alias(model.name, championAlias))?.version;
    if (champion === undefined) {
      const pins = await change.pins(model.name);
      await checkAnsweringAfter(change, model, 'end-release', { champion, pins });
    }
    await change.replaceRelease(model.name, undefined);
    await change.settle(model.name);
    const next = await change.release(model.name);
    const entry = {
      action: 'release.ended',
      object: `model/${model.name}/release`,
      body: {
        ...{ model: model.name, release: current.id, after: next?.id ?? null },
        version: next?.arms[0]?.version ?? null,
      },
    };
    return { entries: [entry], result: next };
  });
}
