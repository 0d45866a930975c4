import type { CapturePolicy } from './capture.ts';
import { checkCapture, defaultCapture } from './capture.ts';
import { invalidArgument } from './errors.ts';
import type { LabelPolicy } from './label-policy.ts';
import { checkLabels, defaultLabels } from './label-policy.ts';

/** What the people of a model decide for it. */
export interface ModelSettings {
  readonly owner: string;
  readonly description: string;
  /** Approvals that moving `champion` needs from somebody who did not push the version: 0 or 1. */
  readonly approvalsRequired: number;
  /** Which evidence is kept, by every release that says nothing of its own. */
  readonly capture: CapturePolicy;
  /** Which label of a row counts. */
  readonly labels: LabelPolicy;
}

export const defaultModelSettings: ModelSettings = {
  owner: '',
  description: '',
  approvalsRequired: 1,
  capture: defaultCapture,
  labels: defaultLabels,
};

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
  checkCapture(settings.capture);
  checkLabels(settings.labels);
  return settings;
}

/** Who makes a change when the caller does not say: metadata `sluice-actor` is missing. */
export const anonymousActor = 'anonymous';

/** The registry's own name in the log. */
const reserved = /^registry$/i;

/** True for a name of 1 to `max` characters that can all be seen, without a space at its ends. */
export const isVisibleName = (name: string, max: number): boolean =>
  name.length > 0 && name.length <= max && name.trim() === name && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name);

/** True for a name that whoever makes a change may have: 1 to 128 visible characters, and not the registry's own. */
export const isActor = (actor: string): boolean => isVisibleName(actor, 128) && !reserved.test(actor);

/**
 * Checks who makes a change: 1 to 128 characters that can all be seen, no space at its ends, and not the registry's own
 * name. So that no two names look alike for a character that nobody sees.
 */
export function checkActor(actor: string): string {
  if (!isVisibleName(actor, 128)) {
    throw invalidArgument(
      'sluice-actor: expected a name of 1 to 128 visible characters in this metadata; with the command line use `--as NAME`',
    );
  }
  if (reserved.test(actor)) {
    throw invalidArgument(
      `sluice-actor: "${actor}" is what the registry itself is called in the audit log; use another`,
    );
  }
  return actor;
}
