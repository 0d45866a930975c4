import { invalidArgument } from './errors.ts';

/** What the people of a model decide for it. */
export interface ModelSettings {
  readonly owner: string;
  readonly description: string;
  /** Approvals that moving `champion` needs from somebody who did not push the version: 0 or 1. */
  readonly approvalsRequired: number;
}

export const defaultModelSettings: ModelSettings = { owner: '', description: '', approvalsRequired: 1 };

/** Throws `invalid-argument` naming the setting that is wrong. */
export function checkModelSettings(settings: ModelSettings): ModelSettings {
  if (settings.owner.length > 200)
    throw invalidArgument('owner: longer than 200 characters; give a name or an address');
  if (settings.description.length > 10_000) {
    throw invalidArgument('description: longer than 10,000 characters; put more into the version’s model card');
  }
  if (settings.approvalsRequired !== 0 && settings.approvalsRequired !== 1) {
    throw invalidArgument(`approvals_required: ${settings.approvalsRequired} given; expected 0 or 1`);
  }
  return settings;
}

/** Checks who makes a change: 1 to 128 characters, none of them a control character. */
export function checkActor(actor: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (actor.length === 0 || actor.length > 128 || /[\u0000-\u001f\u007f]/.test(actor)) {
    throw invalidArgument(
      'sluice-actor: expected a name of 1 to 128 characters in this metadata; with the command line use `--as NAME`',
    );
  }
  return actor;
}
