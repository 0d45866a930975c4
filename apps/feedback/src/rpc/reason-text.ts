import { statusName } from '@sluice/rpc/status';
import type { StoredAttempt } from '../predictions/prediction.ts';

type Reasoned = Pick<
  StoredAttempt,
  'reason' | 'arm' | 'servedArm' | 'rule' | 'fallbackStatus' | 'propensity' | 'attempt' | 'version'
>;

/** Why an attempt went where it did, in a sentence. */
export function reasonText(attempt: Reasoned): string {
  const { arm, servedArm, fallbackStatus, attempt: number } = attempt;
  const parts = [why(attempt)];
  if (fallbackStatus !== 0)
    parts.push(`"${arm}" failed with ${statusName(fallbackStatus)}, and "${servedArm}" served in its place`);
  if (number > 1) parts.push(`it is attempt ${number}: the one before was lost`);
  return parts.join('; ');
}

function why({ reason, arm, rule, propensity, version }: Reasoned): string {
  const share = `with probability ${Number(propensity.toPrecision(4))}`;
  switch (reason) {
    case 'only-arm':
      return `the release sends everything to "${arm}"`;
    case 'unit':
      return `the hash of its unit key fell to "${arm}" ${share}`;
    case 'weight':
      return `"${arm}" was drawn ${share}, since the request has no unit key`;
    case 'rule':
      return `rule "${rule}" of the release sends it to "${arm}"`;
    case 'forced':
      return `the request asked for arm "${arm}" with sluice-arm`;
    case 'named':
      return `the request named version ${version}, which bypasses the release`;
    case 'sequence':
      return `its sequence had begun on "${arm}"`;
    case 'shadow':
      return `it is a copy for the shadow arm "${arm}", made after the answer`;
  }
}
