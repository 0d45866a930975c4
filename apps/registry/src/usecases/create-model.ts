import { SluiceError } from '@sluice/domain/errors';
import type { ModelSettings } from '@sluice/domain/model';
import { checkActor, checkModelSettings } from '@sluice/domain/model';
import { checkModelName } from '@sluice/domain/names';
import type { ModelRecord } from './records.ts';
import type { Entry, RegistryState } from './state.ts';

/** Makes a model with its settings; `already-exists` when there is one of the name. */
export async function createModel(
  state: RegistryState,
  actor: string,
  request: { readonly name: string; readonly settings: ModelSettings },
): Promise<ModelRecord> {
  checkActor(actor);
  const name = checkModelName(request.name, 'name');
  const settings = checkModelSettings(request.settings);
  return state.change(actor, async (change) => {
    if (await change.model(name)) {
      throw new SluiceError(
        'already-exists',
        `name: model "${name}" exists; change it with \`sluice model set ${name}\``,
      );
    }
    const model = await change.insertModel(name, settings);
    await change.settle(name);
    return { entries: [modelCreated(name, settings)], result: model };
  });
}

/** The entry of a model's making. */
export function modelCreated(name: string, settings: ModelSettings): Entry {
  return { action: 'model.created', object: `model/${name}`, body: { model: name, settings: { ...settings } } };
}
