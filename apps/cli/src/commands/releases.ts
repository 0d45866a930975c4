import type { Release__Output } from '@sluice/contracts/gen/sluice/registry/v1/Release';
import { SluiceError } from '@sluice/domain/errors';
import { captureChanges, type CaptureFlags } from '../capture-options.ts';
import { type CliContext, progress, show } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { showFields } from '../format.ts';
import { type ArmFlag, type Mode, type Role, type RuleFlag, withRoles } from '../release-options.ts';
import { keptFrom } from './kept-release.ts';
import { releaseFields, releaseLine } from './show-release.ts';
import { numberOf } from './versions.ts';

export interface PutFlags extends CaptureFlags {
  readonly arm?: readonly ArmFlag[];
  /** False for `--no-rules`. */
  readonly rules?: boolean;
  readonly rule?: readonly RuleFlag[];
  /** False for `--no-own-capture`. */
  readonly ownCapture?: boolean;
  readonly mode?: Mode;
  readonly seed?: string;
  readonly expectedRevision?: string;
}

const modes = {
  fixed: 'RELEASE_MODE_FIXED',
  ab: 'RELEASE_MODE_AB',
  canary: 'RELEASE_MODE_CANARY',
  shadow: 'RELEASE_MODE_SHADOW',
} as const satisfies Record<Mode, string>;

const roleNames = {
  primary: 'ARM_ROLE_PRIMARY',
  candidate: 'ARM_ROLE_CANDIDATE',
  shadow: 'ARM_ROLE_SHADOW',
} as const satisfies Record<Role, string>;

/** `sluice release put MODEL --arm NAME=VERSION:WEIGHT[:ROLE] …` */
export async function putRelease(context: CliContext, model: string, flags: PutFlags): Promise<void> {
  if (!flags.arm)
    throw usageError('no arms', 'Give --arm NAME=VERSION:WEIGHT, once for each version that gets traffic.');
  const arms = withRoles(flags.arm);
  if (flags.rules === false && flags.rule)
    throw usageError('--no-rules and --rule', 'Give --rule alone: its rules take the place of those that there are.');
  const own = captureChanges(flags);
  if (flags.ownCapture === false && own)
    throw usageError(
      '--no-own-capture with a capture policy',
      'Without one of its own the release has that of the model.',
    );
  const current = await releaseOf(context, model);
  const numbers: string[] = [];
  for (const arm of arms) numbers.push(await versionOf(context, model, arm));
  const { mode, rules, capture, words } = keptFrom(current, arms, flags, own);
  if (words !== '') progress(context, words);
  const request = {
    ...{ model, mode: modes[mode], seedId: flags.seed ?? '', rules: rules.map((rule) => ({ ...rule })) },
    expectedRevision: flags.expectedRevision ?? current?.revision ?? '0',
    arms: arms.map(({ name, role, weight }, at) => ({ name, weight, role: roleNames[role], version: numbers[at]! })),
    ...(capture ? { capture } : {}),
  };
  const answer = await context.services.registry.putRelease(request, { signal: context.signal });
  show(context, answer, () => showFields(releaseFields(answer.release!)));
}

/** The number of an arm's version; what is wrong is said of the arm. */
async function versionOf(context: CliContext, model: string, { name, version }: ArmFlag): Promise<string> {
  try {
    return await numberOf(context, model, version);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || !['not-found', 'invalid-argument'].includes(thrown.kind)) throw thrown;
    throw new SluiceError(thrown.kind, `--arm ${name}=${version}: ${thrown.message}`);
  }
}

/** `sluice release show MODEL` */
export async function showRelease(context: CliContext, model: string): Promise<void> {
  const release = await releaseOf(context, model);
  show(context, { release }, () => (release ? showFields(releaseFields(release)) : nothing(model)));
}

/** `sluice release end MODEL` */
export async function endRelease(
  context: CliContext,
  model: string,
  { expectedRevision }: Pick<PutFlags, 'expectedRevision'>,
): Promise<void> {
  const request = { model, expectedRevision: await revisionSeen(context, model, expectedRevision) };
  const answer = await context.services.registry.endRelease(request, { signal: context.signal });
  show(context, answer, () =>
    answer.release ? `${model}: ended; now ${releaseLine(answer.release)}` : `${model}: ended; ${nothing(model)}`,
  );
}

const nothing = (model: string): string => `${model} has neither a release nor champion nor a pin: nothing answers`;

async function releaseOf(context: CliContext, name: string): Promise<Release__Output | null> {
  return (await context.services.registry.getModel({ name }, { signal: context.signal })).release;
}

/** The revision that a change is to find: what the person gave, else that of now, so that of two changes one is refused. */
const revisionSeen = async (context: CliContext, model: string, given?: string): Promise<string> =>
  given ?? (await releaseOf(context, model))?.revision ?? '0';
