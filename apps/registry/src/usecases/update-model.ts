import type { CaptureChanges } from '@sluice/domain/capture';
import { changeCapture } from '@sluice/domain/capture';
import type { LabelChanges } from '@sluice/domain/label-policy';
import { changeLabels } from '@sluice/domain/label-policy';
import type { ModelSettings } from '@sluice/domain/model';
import { checkActor, checkModelSettings } from '@sluice/domain/model';
import { checkRedactable } from './check-redact.ts';
import { checkExpectedRevision } from './expected-revision.ts';
import { requireModel } from './lookups.ts';
import type { ModelRecord } from './records.ts';
import type { RegistryState } from './state.ts';

export interface UpdateModelRequest {
  readonly name: string;
  /** Only what is set changes. */
  readonly owner?: string | undefined;
  readonly description?: string | undefined;
  readonly approvalsRequired?: number | undefined;
  readonly capture?: CaptureChanges | undefined;
  readonly labels?: LabelChanges | undefined;
  readonly expectedRevision?: number | undefined;
}

/**
 * Changes a model's settings: the only way to do so. A change that changes nothing leaves no entry. One of the capture
 * policy is one of the release too, unless that has its own.
 */
export async function updateModel(
  state: RegistryState,
  actor: string,
  request: UpdateModelRequest,
): Promise<ModelRecord> {
  checkActor(actor);
  return state.change(actor, async (change) => {
    const model = await requireModel(change, request.name);
    checkExpectedRevision(`model ${model.name}`, request.expectedRevision, model.revision);
    const before = model.settings;
    const after: ModelSettings = checkModelSettings({
      owner: request.owner ?? before.owner,
      description: request.description ?? before.description,
      approvalsRequired: request.approvalsRequired ?? before.approvalsRequired,
      capture: changeCapture(before.capture, request.capture),
      labels: changeLabels(before.labels, request.labels),
    });
    await checkRedactable(change, model.name, request.capture?.redact);
    const changed = (Object.keys(after) as (keyof ModelSettings)[]).filter((key) => after[key] !== before[key]);
    if (changed.length === 0) return { entries: [], result: model };
    await change.updateModel(model.name, after);
    if (changed.includes('capture')) await change.settle(model.name);
    const pick = (settings: ModelSettings): Record<string, unknown> =>
      Object.fromEntries(changed.map((key) => [key, settings[key]]));
    return {
      entries: [
        {
          action: 'model.updated',
          object: `model/${model.name}`,
          body: { model: model.name, before: pick(before), after: pick(after) },
        },
      ],
      result: { ...model, settings: after, revision: change.revision },
    };
  });
}
