import type { CaptureChanges } from '@sluice/domain/capture';
import { changeCapture, defaultCapture, sameCapture } from '@sluice/domain/capture';
import { SluiceError } from '@sluice/domain/errors';
import type { LabelChanges } from '@sluice/domain/label-policy';
import { changeLabels, defaultLabels, sameLabels } from '@sluice/domain/label-policy';
import type { ModelSettings } from '@sluice/domain/model';
import { checkActor, checkModelSettings } from '@sluice/domain/model';
import { checkModelName } from '@sluice/domain/names';
import { checkRedactable } from './check-redact.ts';
import type { ModelRecord } from './records.ts';
import type { Entry, RegistryState } from './state.ts';

/** Makes a model with its settings; `already-exists` when there is one of the name. */
export async function createModel(
  state: RegistryState,
  actor: string,
  request: {
    readonly name: string;
    readonly settings: ModelSettings;
    /** How its capture policy differs from that of `settings`. */
    readonly capture?: CaptureChanges | undefined;
    /** The same of its label policy. */
    readonly labels?: LabelChanges | undefined;
  },
): Promise<ModelRecord> {
  checkActor(actor);
  const name = checkModelName(request.name, 'name');
  const capture = changeCapture(request.settings.capture, request.capture);
  const labels = changeLabels(request.settings.labels, request.labels);
  const settings = checkModelSettings({ ...request.settings, capture, labels });
  return state.change(actor, async (change) => {
    if (await change.model(name)) {
      throw new SluiceError(
        'already-exists',
        `name: model "${name}" exists; change it with \`sluice model set ${name}\``,
      );
    }
    await checkRedactable(change, name, capture.redact);
    const model = await change.insertModel(name, settings);
    await change.settle(name);
    return { entries: [modelCreated(name, settings)], result: model };
  });
}

/** The entry of a model's making; policies that are the default are not worth a word. */
export function modelCreated(name: string, { capture, labels, ...settings }: ModelSettings): Entry {
  const said = {
    ...settings,
    ...(sameCapture(capture, defaultCapture) ? {} : { capture }),
    ...(sameLabels(labels, defaultLabels) ? {} : { labels }),
  };
  return { action: 'model.created', object: `model/${name}`, body: { model: name, settings: said } };
}
