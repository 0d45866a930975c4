import { failedPrecondition, invalidArgument } from './errors.ts';
import { anonymousActor } from './model.ts';

/** The alias whose moves need an approval. */
export const championAlias = 'champion';

/** Somebody's word that a version may become what an alias points to. It stays valid. */
export interface Approval {
  readonly model: string;
  readonly version: number;
  readonly alias: string;
  readonly approver: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly revision: number;
}

export interface MoveUnderApproval {
  readonly model: string;
  readonly alias: string;
  readonly version: number;
  /** Who pushed the version. */
  readonly pushedBy: string;
  /** The model's setting. */
  readonly approvalsRequired: number;
  /** Who has approved this version for this alias. */
  readonly approvers: readonly string[];
  /** The alias left this version so short a time ago that it is still retained. */
  readonly goingBack: boolean;
}

/** Why a move still needs an approval, with what to type; undefined when it needs none. */
export function missingApproval(move: MoveUnderApproval): string | undefined {
  if (move.alias !== championAlias || move.goingBack || hasApprovals(move)) return undefined;
  const command = `sluice approve ${move.model} ${move.version} --as NAME`;
  return (
    `${move.model} version ${move.version} needs an approval before ${championAlias} can move to it: ` +
    `somebody other than ${move.pushedBy}, who pushed it, types \`${command}\``
  );
}

/** Throws `failed-precondition`, saying what to type, when a move still needs an approval. */
export function checkMoveApproved(move: MoveUnderApproval): void {
  const missing = missingApproval(move);
  if (missing !== undefined) throw failedPrecondition(missing);
}

/** Whether a version has the approvals of others than its pusher that its model asks for; nobody's counts for none. */
export function hasApprovals(
  version: Pick<MoveUnderApproval, 'pushedBy' | 'approvalsRequired' | 'approvers'>,
): boolean {
  const approvers = new Set(version.approvers.filter((one) => one !== version.pushedBy && one !== anonymousActor));
  return approvers.size >= version.approvalsRequired;
}

/**
 * Throws `failed-precondition` when `approver` pushed the version, `invalid-argument` when the alias needs none or the
 * caller does not say who approves: a pusher who forgets the name must not count as somebody else.
 */
export function checkApprover(approval: {
  readonly model: string;
  readonly version: number;
  readonly alias: string;
  readonly approver: string;
  readonly pushedBy: string;
}): void {
  const { model, version, alias, approver, pushedBy } = approval;
  if (alias !== championAlias) {
    throw invalidArgument(`alias: moving "${alias}" needs no approval; only "${championAlias}" does`);
  }
  if (approver === anonymousActor) {
    throw invalidArgument(
      `sluice-actor: missing; an approval needs the name of who gives it in this metadata: with the command line type ` +
        `\`sluice approve ${model} ${version} --as NAME\``,
    );
  }
  if (approver === pushedBy) {
    throw failedPrecondition(
      `${approver} pushed ${model} version ${version} and cannot approve it: ` +
        `somebody else types \`sluice approve ${model} ${version} --as NAME\``,
    );
  }
}
