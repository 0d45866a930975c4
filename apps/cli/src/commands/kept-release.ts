import type { CaptureChanges } from '@sluice/contracts/gen/sluice/registry/v1/CaptureChanges';
import type { CapturePolicy__Output } from '@sluice/contracts/gen/sluice/registry/v1/CapturePolicy';
import type { Release__Output } from '@sluice/contracts/gen/sluice/registry/v1/Release';
import { plural, showEnum } from '../format.ts';
import { fits, type Mode, modeOf, modes, type Role, type RuleFlag } from '../release-options.ts';

export interface PutChoices {
  readonly mode?: Mode;
  readonly rule?: readonly RuleFlag[];
  /** False: drop them. */
  readonly rules?: boolean;
  /** False: drop it. */
  readonly ownCapture?: boolean;
}

/** What a release will have besides its arms. */
export interface KeptParts {
  readonly mode: Mode;
  readonly rules: readonly (RuleFlag & { readonly id?: string })[];
  /** Undefined: the model's. */
  readonly capture: CaptureChanges | undefined;
  /** What was kept, for people; '' when nothing was. */
  readonly words: string;
}

/**
 * What was not said of a release is as in the one before, when a person made that: so a change of weights changes
 * nothing else. Its mode is kept where the new arms allow it.
 *
 * @param own the capture settings that were said now
 */
export function keptFrom(
  current: Release__Output | null,
  arms: readonly { readonly role: Role }[],
  choices: PutChoices,
  own: CaptureChanges | undefined,
): KeptParts {
  const before = current?.implicit === false ? current : undefined;
  const modeBefore = modes.find((mode) => mode === showEnum(before?.mode ?? '', 'RELEASE_MODE'));
  const keptMode = choices.mode === undefined && modeBefore && fits(modeBefore, arms) ? modeBefore : undefined;
  const keptRules = choices.rule === undefined && choices.rules !== false ? (before?.rules ?? []) : [];
  const keptCapture = before?.ownCapture && choices.ownCapture !== false ? asChanges(before.capture) : undefined;
  const mode = choices.mode ?? keptMode ?? modeOf(arms);
  const words = [
    // One that follows from the arms anyway is not worth a word.
    keptMode !== undefined && keptMode !== modeOf(arms) ? `mode ${keptMode} (--mode)` : '',
    keptRules.length > 0 ? `${plural(keptRules.length, 'rule')} (--rule or --no-rules)` : '',
    keptCapture ? 'its own capture policy (--capture or --no-own-capture)' : '',
  ].filter(Boolean);
  return {
    mode,
    rules: choices.rule ?? keptRules,
    capture: keptCapture || own ? { ...keptCapture, ...own } : undefined,
    words: words.length === 0 ? '' : `kept from the release before: ${words.join(', ')}`,
  };
}

/** A whole policy as changes of whatever the model has. */
function asChanges(capture: CapturePolicy__Output | null): CaptureChanges | undefined {
  if (!capture) return undefined;
  const { rate, payload, durability, retentionClass, maxPayloadBytes, redact } = capture;
  const response = capture.response ?? (payload || undefined);
  return {
    ...{ rate, durability, retentionClass, maxPayloadBytes, redact: { names: [...redact] } },
    request: capture.request ?? payload,
    response:
      response === undefined ? 'RESPONSE_CAPTURE_SMALL' : response ? 'RESPONSE_CAPTURE_ALL' : 'RESPONSE_CAPTURE_NONE',
  };
}
